import { checkAccount } from "./account.js";
import type {
  Begun,
  Proof,
  ProofRequested,
  SignOut,
  Tokens as Pair,
} from "./api.js";
import type { Tell } from "./events.js";
import type { Exclusive } from "./exclusive.js";
import { patiently, pauseAfter, sleep } from "./patience.js";
import { RevolveError } from "./problem.js";
import type { Answer, Service } from "./service.js";
import type { KeptSession, State, TokenStore } from "./store.js";

export type Scope = NonNullable<SignOut["scope"]>;

/** An ID token is refreshed so long before it expires, in milliseconds; sooner if it lives shortly. */
const AHEAD = 30_000;
/** How long a call waits for a refresh while its ID token is still good, in milliseconds. */
const EARLY = 2_000;
/** How far the clocks of two tabs may differ, in milliseconds: browsers make them inexact on purpose. */
const JITTER = 1_000;
/** How often the store is looked at for a newer token after `token_stale`. */
const LOOKS = 4;
/** Methods of requests that change nothing (RFC 9110 §9.2.1). */
const SAFE = /^(GET|HEAD|OPTIONS)$/i;
/** A browser keeps as many device credentials. */
const DEVICES = 8;

export interface TokensOptions {
  service: Service;
  store: TokenStore;
  exclusive: Exclusive;
  hasCookie: boolean;
  now: () => number;
  /** How long to repeat what fails for now, in milliseconds. */
  patience: number;
  tell: Tell;
}

/** For which account a mail was asked for, or a first step done; and on which device, if that is not its own yet. */
interface Asker {
  account: string | undefined;
  device?: string | undefined;
}

/** The tokens of the session: kept, refreshed, given up when the service says that they are worth nothing. */
export class Tokens {
  readonly #options: TokensOptions;
  /** By patience: who has some does not share the fate of a refresh that is merely early. */
  readonly #refreshing = new Map<number, Promise<KeptSession | undefined>>();
  /** Who goes on with a proof or a challenge. */
  readonly #askers = new Map<string, Asker>();
  /** The service has said that the cookie holds no session. */
  #isKnownAsNone = false;

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  /** What a call of the account API shows: the ID token, the device. */
  headers(session?: KeptSession, device = session?.device): Headers {
    const headers = new Headers();
    if (session) headers.set("authorization", `Bearer ${session.idToken}`);
    if (this.#options.hasCookie) headers.set("revolve-tokens", "cookie");
    if (device) headers.set("revolve-device", device);
    return headers;
  }

  /** The session as it is kept now. */
  async kept(): Promise<KeptSession | undefined> {
    return (await this.#state()).session;
  }

  /**
   * The session with an ID token that is good for a while, refreshed if need be; `undefined` if nobody is signed in.
   *
   * @param method Of the request that it is for.
   * @throws {RevolveError} `account_changed`.
   */
  async fresh(method = "GET"): Promise<KeptSession | undefined> {
    const session = await this.kept();
    if (!session) {
      const mayBeInCookie = this.#options.hasCookie && !this.#isKnownAsNone;
      return mayBeInCookie ? this.renewed() : undefined;
    }
    if (this.#isFresh(session)) return session;
    if (!this.#isBefore(session.expiresAt, session)) {
      return this.instead(session, method);
    }
    // It is merely early: nobody has to wait for it.
    const renewed = this.instead(session, method, 0).catch(() => session);
    return Promise.race([renewed, sleep(EARLY).then(() => session)]);
  }

  /**
   * What to use for a request instead of a session whose ID token is no good any more.
   *
   * @throws {RevolveError} `account_changed`.
   */
  async instead(
    session: KeptSession,
    method: string,
    patience?: number,
  ): Promise<KeptSession | undefined> {
    const next = await this.renewed(session.idToken, patience);
    if (!SAFE.test(method)) checkAccount(session, next);
    return next;
  }

  /** The session with another ID token than `seen`, which is no good any more; all callers share one refresh. */
  async renewed(
    seen?: string,
    patience = this.#options.patience,
  ): Promise<KeptSession | undefined> {
    const running = this.#refreshing.get(patience);
    if (running) {
      const shared = await running;
      if (!shared || shared.idToken !== seen) return shared;
    }
    const refreshing =
      this.#refreshing.get(patience) ??
      this.#options
        .exclusive(() => this.newest(seen, patience))
        .finally(() => this.#refreshing.delete(patience));
    this.#refreshing.set(patience, refreshing);
    return refreshing;
  }

  /** The same for those who are exclusive already. */
  newest(
    seen?: string,
    patience = this.#options.patience,
  ): Promise<KeptSession | undefined> {
    return patiently(patience, () => this.#refresh(seen));
  }

  async #refresh(seen?: string): Promise<KeptSession | undefined> {
    const { service, store, hasCookie, tell } = this.#options;
    for (let tries = 0; ; tries++) {
      const sent = await this.kept();
      // Another one was faster, or has signed out.
      if (sent ? sent.idToken !== seen && this.#isFresh(sent) : !hasCookie) {
        return sent;
      }
      try {
        const body = hasCookie ? {} : { refreshToken: sent?.refreshToken };
        const headers = this.headers(undefined, sent?.device);
        const answer = await service.call("POST", "tokens", headers, body);
        const next = this.#received(answer, sent);
        // A slow answer must not overwrite what another one has kept meanwhile.
        const { session } = await store.update((state) =>
          isSame(state.session, sent) ? { ...state, session: next } : state,
        );
        if (!isSame(session, next)) continue;
        this.#isKnownAsNone = false;
        const isOld = sent?.session.id === next.session.id;
        tell(isOld ? "refreshed" : "signed-in", next.session);
        return next;
      } catch (error) {
        if (!(error instanceof RevolveError && error.isRefusal)) throw error;
        // Another one was faster, or has signed in again.
        if (!isSame(await this.kept(), sent)) continue;
        // By a sign-in of this browser without this client: its cookie may have come meanwhile.
        if (hasCookie && error.code === "session_replaced" && !tries) continue;
        if (error.code !== "token_stale") {
          await this.#end((session) => isSame(session, sent), error.code);
          return undefined;
        }
        if (tries === LOOKS) throw error;
        await this.#newer(sent, error);
      }
    }
  }

  /**
   * Waits until another one has kept a newer token than the stale one, which is not sent again: soon it would count as stolen. A cookie may
   * be newer already.
   */
  async #newer(sent: KeptSession | undefined, stale: Error): Promise<void> {
    for (let looks = 0; looks < LOOKS; looks++) {
      await sleep(pauseAfter(looks));
      if (this.#options.hasCookie || !isSame(await this.kept(), sent)) return;
    }
    throw stale;
  }

  /**
   * Sends what begins a session, and keeps the session unless the answer is 202.
   *
   * @param email Whose device credential to show, and to keep; by default the one for whom the body's proof or challenge came.
   */
  begin(
    path: string,
    body: object & { proof?: string; challenge?: string },
    email?: string,
  ): Promise<Partial<Begun>> {
    const { service, store, exclusive, tell } = this.#options;
    const asker = this.#askers.get(body.proof ?? body.challenge ?? "");
    const account = email ? accountOf(email) : asker?.account;
    return exclusive(async () => {
      const headers = await this.#strangersHeaders(account, asker?.device);
      let answer: Answer;
      try {
        answer = await service.call("POST", path, headers, body);
      } catch (error) {
        // A factor is needed, too: it is shown on the device that this hands out.
        const { challenge, device } = (error as RevolveError).problem ?? {};
        if (challenge)
          this.#askers.set(challenge, { account, device: device?.credential });
        throw error;
      }
      const begun = answer.body as Partial<Begun>;
      if (begun?.proof) this.#askers.set(begun.proof.id, { account });
      if (answer.status === 202) return begun;
      const next = this.#received(answer);
      const { device } = next;
      await store.update((state) => ({
        ...state,
        session: next,
        devices: remembered(state.devices, account, device),
      }));
      this.#isKnownAsNone = false;
      tell("signed-in", next.session);
      return begun;
    });
  }

  /** Asks for a mail to an address. Whoever confirms it shows the same device. */
  async ask(path: string, email: string): Promise<Proof> {
    const account = accountOf(email);
    const headers = await this.#strangersHeaders(account);
    const body = { email };
    const answer = await this.#options.service.call(
      "POST",
      path,
      headers,
      body,
    );
    const { proof } = answer.body as ProofRequested;
    this.#askers.set(proof.id, { account });
    return proof;
  }

  /** Ends sessions at the service, then here. */
  signOut(scope: Scope): Promise<void> {
    const { service, exclusive, patience } = this.#options;
    return exclusive(async () => {
      const before = await this.kept();
      const session = await this.newest();
      checkAccount(before, session);
      if (!session) return;
      const send = (session: KeptSession) =>
        patiently(patience, async () => {
          const headers = this.headers(session);
          await service.call("POST", "signout", headers, { scope });
          if (scope !== "others") await this.end(session, "sign_out");
        });
      try {
        await againOnceRefused(session, send, async (session) => {
          const next = await this.newest(session.idToken);
          checkAccount(session, next);
          return next;
        });
      } catch (error) {
        // It was over already.
        if (scope === "others" || (await this.kept())) throw error;
      }
    });
  }

  /** Gives a session up that the service has ended, unless there is another one meanwhile. */
  end({ session: { id } }: KeptSession, reason: string): Promise<void> {
    return this.#end(({ session }) => session.id === id, reason);
  }

  /** Keeps a fresh ID token of the session, which may have been refreshed meanwhile. */
  async keep(session: KeptSession, answer: Answer): Promise<void> {
    const next = this.#received(answer, session);
    await this.#options.store.update((state) => {
      const { session: kept } = state;
      if (kept?.session.id !== session.session.id) return state;
      const { refreshToken, device } = kept;
      return { ...state, session: { ...next, refreshToken, device } };
    });
  }

  /** Another tab or worker has signed in. */
  hasBegun(): void {
    this.#isKnownAsNone = false;
  }

  /** What is sent by somebody who is not signed in, on this device, or on the account's if that is known. */
  async #strangersHeaders(account?: string, device?: string): Promise<Headers> {
    const { devices = [] } = await this.#state();
    const known = devices.find(([name]) => name === account);
    return this.headers(undefined, device ?? known?.[1]);
  }

  async #end(
    isIt: (session: KeptSession) => boolean,
    reason: string,
  ): Promise<void> {
    let isOver = false;
    const { session } = await this.#options.store.update((state) => {
      isOver = state.session !== undefined && isIt(state.session);
      return isOver ? { ...state, session: undefined } : state;
    });
    this.#isKnownAsNone = !session;
    if (isOver) this.#options.tell("signed-out", reason);
  }

  #state(): Promise<State> {
    return this.#options.store.update((state) => state);
  }

  /** What an answer has, as it is kept; the rest is that of the session before. */
  #received({ body, date, status }: Answer, before?: KeptSession): KeptSession {
    const { tokens, session, device } = (body ?? {}) as Partial<Begun>;
    const begun = session ?? before?.session;
    if (!tokens?.idToken || !begun) {
      const message = "The answer has no tokens.";
      throw new RevolveError("unexpected_answer", message, { status });
    }
    const { idToken, idTokenExpiresAt, refreshToken }: Partial<Pair> = tokens;
    const receivedAt = this.#options.now();
    // By the service's clock: this device's may be wrong.
    const life = Date.parse(idTokenExpiresAt) - (date || receivedAt);
    return {
      session: {
        id: begun.id,
        createdAt: begun.createdAt,
        endsAt: begun.endsAt,
      },
      idToken,
      receivedAt,
      refreshAt: receivedAt + life - Math.min(AHEAD, life / 4),
      expiresAt: receivedAt + life,
      refreshToken: refreshToken ?? before?.refreshToken,
      device: device?.credential ?? before?.device,
    };
  }

  #isFresh(session: KeptSession): boolean {
    return this.#isBefore(session.refreshAt, session);
  }

  /** Not before the tokens came, either: then the clock was put back, and says nothing. */
  #isBefore(time: number, { receivedAt }: KeptSession): boolean {
    const now = this.#options.now();
    return receivedAt - JITTER <= now && now < time;
  }
}

/** Does something with a session and, if the service refuses its ID token, once more with another one. */
export async function againOnceRefused<S extends KeptSession | undefined, T>(
  session: S,
  work: (session: S | KeptSession) => Promise<T>,
  renew: (session: KeptSession) => Promise<KeptSession | undefined>,
): Promise<T> {
  try {
    return await work(session);
  } catch (error) {
    const isRefused = error instanceof RevolveError && error.isRefusal;
    const next = isRefused && session && (await renew(session));
    if (!next) throw error;
    return work(next);
  }
}

const accountOf = (email: string) => email.trim().toLowerCase();

/** Whether both have the same tokens. */
function isSame(one?: KeptSession, other?: KeptSession): boolean {
  const token = (session?: KeptSession) =>
    session?.refreshToken ?? session?.idToken;
  return token(one) === token(other);
}

/** The device credentials with this one of an account, which is the newest. */
function remembered(
  devices: State["devices"],
  account?: string,
  credential?: string,
): State["devices"] {
  if (!account || !credential) return devices;
  const others = (devices ?? []).filter(([name]) => name !== account);
  return [[account, credential], ...others.slice(0, DEVICES - 1)];
}
