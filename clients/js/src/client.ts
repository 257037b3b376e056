import type {
  Activity,
  Begun,
  Details,
  EmailConfirmation,
  EmailDisownment,
  ListedSession,
  PasswordChange,
  Proof,
  ProofRequested,
  Reauthenticate,
  Reauthenticated,
  RecoveryConfirmation,
  Session,
  Sessions,
  SignIn,
  SignInConfirmation,
  SignOut,
  SignUp,
  SignUpConfirmation,
  User,
  UserAnswer,
} from "./api.js";
import { openChannel, type Channel, type Message } from "./channel.js";
import { Events, type ClientEvents, type Tell } from "./events.js";
import { acrossTabs, inTurn, leaseIn } from "./exclusive.js";
import { authorizedFetch } from "./fetch.js";
import { patiently } from "./patience.js";
import { RevolveError } from "./problem.js";
import { serviceAt, type Answer, type Service } from "./service.js";
import { stepUp, type Reauthenticator } from "./challenge.js";
import {
  memoryStore,
  sharedStore,
  type KeptSession,
  type TokenStore,
} from "./store.js";
import { againOnceRefused, Tokens } from "./tokens.js";

export interface ClientOptions {
  /** Where the service is, such as `https://accounts.example.org`. */
  url: string | URL;
  /**
   * Where the refresh token is kept:
   *
   * - `cookie`: in a cookie that scripts can't read; for browsers, and pages of the service's site;
   * - `memory`: in this client alone;
   * - `storage`: in IndexedDB, which all tabs and workers of the origin share, or in `store`.
   */
  tokens: "cookie" | "memory" | "storage";
  /** Further origins to which `fetch` sends ID tokens; those of the service and of the page are among them. */
  origins?: readonly string[];
  /**
   * Called where a service that `fetch` has sent a request to requires a recent authentication, or a stronger one (RFC 9470): ask the user, and
   * call `reauthenticate` of the client. Then the request is sent once more; if you don't call it, the service's 401 is the answer. Requests that
   * are challenged at once ask once.
   */
  reauthenticate?: Reauthenticator;
  /** Where to keep what would be in IndexedDB. */
  store?: TokenStore;
  /** For how many milliseconds a request that fails for now is repeated; 15,000 by default. */
  patience?: number;
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch;
  /** The time in milliseconds, instead of `Date.now`. */
  now?: () => number;
}

/** A session; or a proof to confirm first, where the service wants the address proved. */
export type SignedUp =
  { session: Session; proof?: Proof } | { session: null; proof: Proof };

/** Make one for each service, and keep it. */
export function createClient(options: ClientOptions): RevolveClient {
  return new RevolveClient(options);
}

/** The account API, with tokens that are kept fresh. What fails throws a {@link RevolveError}. */
export class RevolveClient {
  readonly #service: Service;
  readonly #tokens: Tokens;
  readonly #events = new Events();
  readonly #channel: Channel | undefined;
  readonly #patience: number;
  readonly #now: () => number;
  #reauthentication: { text: string; until: number } | undefined;

  /**
   * `fetch` with a fresh ID token, to the origins of the service, of the page and of `origins`; any other is a `TypeError`. After a 401
   * it refreshes once and sends the request once more, unless its body is a stream; or it calls `reauthenticate`, if the service asks for
   * that. If nobody is signed in, there is no token.
   */
  readonly fetch: typeof fetch;

  constructor(options: ClientOptions) {
    const { url, tokens: mode, patience = 15_000, now = Date.now } = options;
    const fetcher: typeof fetch =
      options.fetch ?? ((...request) => globalThis.fetch(...request));
    const service = serviceAt(url, fetcher);
    const name = `revolve ${mode} ${service.base}`;
    const store = storeFor(mode, name, options.store);
    const tell: Tell = (event, detail) => {
      this.#hear(event, detail);
      this.#channel?.tell({ event, detail } as Message);
    };
    let exclusive = inTurn();
    if (mode !== "memory") {
      const lease = leaseIn(store, now, () =>
        this.#channel?.tell({ event: "released" }),
      );
      exclusive = acrossTabs(name, lease);
      this.#channel = openChannel(name, ({ event, detail }) =>
        event === "released" ? lease.look() : this.#hear(event, detail),
      );
    }
    const hasCookie = mode === "cookie";
    const tokens = new Tokens({
      ...{ service, store, exclusive, hasCookie, now, patience, tell },
    });
    this.fetch = authorizedFetch({
      ...{ service, tokens, fetch: fetcher },
      origins: originsOf(service, options.origins),
      headers: (session) => this.#headers(session),
      stepUp: stepUp(tokens, options.reauthenticate),
    });
    this.#service = service;
    this.#tokens = tokens;
    this.#patience = patience;
    this.#now = now;
  }

  /** Calls the listener at each such event, of this and of other tabs and workers. Returns what takes it away. */
  on<E extends keyof ClientEvents>(
    event: E,
    listener: (detail: ClientEvents[E]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /** Stops listening to other tabs and workers. */
  close(): void {
    this.#channel?.close();
  }

  /** Signs up. After `no_answer` do it again: `email_taken` then says that the account was made, and `signIn` that it is yours. */
  async signUp(input: SignUp & { password: string }): Promise<SignedUp> {
    const begun = await this.begin("signup", input, input.email);
    const { session = null, proof } = begun;
    return { session, proof } as SignedUp;
  }

  /** Outside of browsers it needs the password, too. */
  confirmSignUp(input: SignUpConfirmation): Promise<Session> {
    return this.#begin("signup/confirm", input);
  }

  signIn(input: SignIn): Promise<Session> {
    return this.#begin("signin", input, input.email);
  }

  /** Signs in by a code that is mailed, where the service has that switched on. */
  readonly signInByCode = {
    request: (email: string): Promise<Proof> =>
      this.#tokens.ask("signin/code", email),
    confirm: (input: SignInConfirmation): Promise<Session> =>
      this.#begin("signin/code/confirm", input),
  };

  /** Sets a new password by a code that is mailed. All other sessions end. */
  readonly recovery = {
    request: (email: string): Promise<Proof> =>
      this.#tokens.ask("recovery", email),
    confirm: (input: RecoveryConfirmation): Promise<Session> =>
      this.#begin("recovery/confirm", input),
  };

  /** Ends this session, all others, or all. It rejects if the service could not be told; then the session goes on, here as there. */
  signOut({ scope = "this" }: SignOut = {}): Promise<void> {
    return this.#tokens.signOut(scope);
  }

  /** Refreshes now, unless another tab just has. `null` if nobody is signed in. In cookie mode it asks the service in any case. */
  async refresh(): Promise<Session | null> {
    const session = await this.#tokens.kept();
    const next = await this.#tokens.renewed(session?.idToken);
    return next?.session ?? null;
  }

  /** A fresh ID token for what `fetch` can't do, such as a WebSocket; `null` if nobody is signed in. */
  async idToken(): Promise<string | null> {
    return (await this.#tokens.fresh())?.idToken ?? null;
  }

  /** The account that is signed in, or `null`. */
  async user(): Promise<User | null> {
    if (!(await this.#tokens.fresh())) return null;
    try {
      return (await this.#repeat<UserAnswer>("GET", "me")).user;
    } catch (error) {
      const isOver =
        error instanceof RevolveError &&
        error.isRefusal &&
        !(await this.#tokens.kept());
      if (isOver) return null;
      throw error;
    }
  }

  /** Changes the account; another address changes only once `email.confirm` has proved it, if there is a `proof`. */
  async updateUser(
    details: Details,
  ): Promise<{ user: User; proof?: undefined } | ProofRequested> {
    return this.call("PUT", "details", details);
  }

  /** All other sessions end. */
  async changePassword(input: PasswordChange): Promise<void> {
    await this.call("PUT", "password", input);
    this.#reauthentication = undefined;
  }

  /** Shows the password, for what needs that it was shown just now: the calls of the next minutes (`expiresIn` seconds) say so. */
  async reauthenticate(input: Reauthenticate): Promise<{ expiresIn: number }> {
    const session = await this.#tokens.fresh("POST");
    const answer = await this.#send("POST", "reauthenticate", input);
    const { reauthentication, expiresIn } = answer.body as Reauthenticated;
    const until = this.#now() + expiresIn * 1000;
    this.#reauthentication = { text: reauthentication, until };
    if (session) await this.#tokens.keep(session, answer);
    return { expiresIn };
  }

  /** Needs a reauthentication. */
  async deleteAccount(): Promise<void> {
    const session = await this.#tokens.fresh("DELETE");
    await this.call("DELETE", "me");
    if (session) await this.#tokens.end(session, "account_deleted");
  }

  /** What happened to the account, the newest first; `after` is the `next` of another page. */
  activity(page: { after?: string; limit?: number } = {}): Promise<Activity> {
    const query = new URLSearchParams();
    if (page.after) query.set("after", page.after);
    if (page.limit) query.set("limit", `${page.limit}`);
    return this.#repeat("GET", `activity?${query}`);
  }

  readonly sessions = {
    list: async (): Promise<ListedSession[]> =>
      (await this.#repeat<Sessions>("GET", "sessions")).sessions,
    end: (id: string): Promise<void> =>
      this.#repeat("DELETE", `sessions/${encodeURIComponent(id)}`),
    endOthers: (): Promise<void> => this.signOut({ scope: "others" }),
  };

  /** What mails to the account's address prove. */
  readonly email = {
    /** Asks for a mail that verifies the address. */
    verify: async (): Promise<Proof> =>
      (await this.call<ProofRequested>("POST", "email/verify")).proof,
    /** Verifies the address, or changes it. */
    confirm: (input: EmailConfirmation): Promise<void> =>
      this.call("POST", "email/confirm", input),
    /** Says that the address is not that of whoever signed up. */
    disown: (input: EmailDisownment): Promise<void> =>
      this.call("POST", "email/disown", input),
    /** Takes a change of address back, and sets a new password. */
    undoChange: (input: RecoveryConfirmation): Promise<Session> =>
      this.#begin("email/undo/confirm", input),
  };

  /**
   * Any operation of the account API that begins a session, such as `signin/factor`. The session is kept, and all tabs are told.
   *
   * @param email Whose device to show; by default that of who got the `proof` or the `challenge`.
   * @returns The answer's body; without a session if it is 202.
   */
  begin(
    path: string,
    input: object & { proof?: string; challenge?: string },
    email?: string,
  ): Promise<Partial<Begun>> {
    return this.#tokens.begin(path, input, email);
  }

  /** Any other operation of the account API, such as `call("DELETE", "factors/totp")`; returns the answer's body. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    return (await this.#send(method, path, body)).body as T;
  }

  async #begin(
    path: string,
    input: object & { proof?: string },
    email?: string,
  ): Promise<Session> {
    return (await this.begin(path, input, email)).session!;
  }

  /** For what may be done twice. */
  async #repeat<T>(method: string, path: string): Promise<T> {
    // It is patient itself.
    await this.#tokens.fresh(method);
    return patiently(this.#patience, () => this.call(method, path));
  }

  async #send(method: string, path: string, body?: object): Promise<Answer> {
    return againOnceRefused(
      await this.#tokens.fresh(method),
      (session) =>
        this.#service.call(method, path, this.#headers(session), body),
      (session) => this.#tokens.instead(session, method),
    );
  }

  #headers(session?: KeptSession): Headers {
    const headers = this.#tokens.headers(session);
    const { text, until } = this.#reauthentication ?? { text: "", until: 0 };
    if (this.#now() < until) headers.set("revolve-reauthentication", text);
    return headers;
  }

  readonly #hear: Tell = (event, detail) => {
    if (event !== "refreshed") this.#reauthentication = undefined;
    if (event === "signed-in") this.#tokens.hasBegun();
    this.#events.emit(event, detail);
  };
}

function storeFor(
  mode: ClientOptions["tokens"],
  name: string,
  given?: TokenStore,
): TokenStore {
  // Any other would be storage.
  if (!["cookie", "memory", "storage"].includes(mode))
    throw new TypeError(`${mode}: tokens are in no such place.`);
  if (given) return given;
  if (mode === "memory") return memoryStore();
  if (typeof indexedDB !== "undefined") return sharedStore(name);
  if (mode === "storage")
    throw new TypeError("There is no IndexedDB here: name a `store`.");
  return memoryStore();
}

/** Where ID tokens may be sent. */
function originsOf(
  service: Service,
  others: readonly string[] = [],
): ReadonlySet<string> {
  const origins = [service.base, ...others].map((url) => new URL(url).origin);
  const page = globalThis.location?.origin;
  const all = new Set(page ? [...origins, page] : origins);
  // The origin of whatever has none.
  all.delete("null");
  return all;
}
