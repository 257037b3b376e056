import type {
  AddedPasskey,
  Begun,
  Factors,
  NewTotp,
  Passkey,
  PasskeyChallenge,
  Passkeys,
  Problem,
  RecoveryCodes,
  SecondStep,
  Session,
  SignUp,
  SignUpConfirmation,
} from "./api.js";
import type { RevolveClient, SignedUp } from "./client.js";
import { passkeys, type WebAuthnJson } from "./passkeys.js";

export { passkeys, type WebAuthnJson };
export type * from "./api.js";

/** What a sign-in asks for after the first step. */
export interface FactorChallenge {
  /** For `signInFactor`. */
  challenge: string;
  /** What the account can show, in the order in which to offer it. */
  factors: NonNullable<Problem["factors"]>;
  /** Seconds. */
  expiresIn: number;
  /** Where a passkey is one of them: `PublicKeyCredentialRequestOptionsJSON` (WebAuthn). */
  publicKey?: WebAuthnJson;
}

/** Which codes an account got with its first factor, or in place of old ones: to be shown to the user now, since nobody has them afterwards. */
export interface WithRecoveryCodes {
  recoveryCodes?: string[] | undefined;
}

interface Abortable {
  /** Ends the browser's dialog; then the call rejects with the reason. */
  signal?: AbortSignal | undefined;
}

/** The challenge of a 403 `factor_required`, which a sign-in or a recovery may throw; `undefined` of any other error. */
export function challengeOf(error: unknown): FactorChallenge | undefined {
  const { code, problem } = Object(error);
  return code === "factor_required" ? problem : undefined;
}

/** The factors of the account that is signed in, and sign-ins with them. Sessions are those of the client. */
export function factorsOf(client: RevolveClient) {
  const begun = async (path: string, input: object): Promise<Session> =>
    (await client.begin(path, input)).session!;

  const ask = (path: string, body?: object) =>
    client.call<PasskeyChallenge>("POST", `${path}/options`, body);

  /** Shows a passkey. */
  const shown = async (path: string, signal?: AbortSignal) => {
    const { challenge, publicKey } = await ask(path);
    return { challenge, credential: await passkeys.get(publicKey, { signal }) };
  };

  /** The same where the browser fills in forms, with another challenge before one is over. */
  const filledIn = async (path: string, signal?: AbortSignal) => {
    for (;;) {
      const { challenge, publicKey, expiresIn } = await ask(path);
      signal?.throwIfAborted();
      const end = new AbortController();
      const stop = () => end.abort(signal?.reason);
      signal?.addEventListener("abort", stop);
      let isOld = false;
      const timer = setTimeout(() => {
        isOld = true;
        stop();
      }, expiresIn * 800);
      try {
        const how = { mediation: "conditional", signal: end.signal } as const;
        return { challenge, credential: await passkeys.get(publicKey, how) };
      } catch (error) {
        if (!isOld || signal?.aborted) throw error;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
      }
      await seen(signal);
    }
  };

  /** A session that had to set up a factor can do everything from now on. The codes are not lost for that. */
  const noted = async <T extends WithRecoveryCodes>(answer: T): Promise<T> => {
    if (answer.recoveryCodes) await client.refresh().catch(() => {});
    return answer;
  };

  return {
    /** What is set up, how many recovery codes are left, and the reset that an operator has ordered. */
    list: (): Promise<Factors> => client.call("GET", "factors"),

    /** Stops the reset that an operator has ordered. */
    stopReset: (): Promise<void> => client.call("DELETE", "factors/reset"),

    /** Makes recovery codes; the old ones are void. Needs a reauthentication. */
    replaceRecoveryCodes: async (): Promise<string[]> => {
      const path = "factors/recovery-codes";
      const { recoveryCodes } = await client.call<RecoveryCodes>("POST", path);
      return recoveryCodes!;
    },

    /** The second step of a sign-in, with `totp`, `recoveryCode`, or the `credential` of a passkey. It can be tried again after a wrong code. */
    signInFactor: (
      { challenge }: Pick<FactorChallenge, "challenge">,
      factor: Omit<SecondStep, "challenge">,
    ): Promise<Session> => begun("signin/factor", { challenge, ...factor }),

    /** The authenticator app. Setting up and removing need a reauthentication. */
    totp: {
      /** What to show to the user; it counts once it is confirmed. */
      setUp: (): Promise<NewTotp> => client.call("POST", "factors/totp"),
      /** By a code that the app shows. */
      confirm: async (code: string): Promise<WithRecoveryCodes> =>
        noted(await client.call("POST", "factors/totp/confirm", { code })),
      remove: (): Promise<void> => client.call("DELETE", "factors/totp"),
    },

    passkeys: {
      list: async (): Promise<Passkey[]> =>
        (await client.call<Passkeys>("GET", "passkeys")).passkeys,

      /** Makes one for the account. Needs a reauthentication. */
      add: async ({
        name,
        signal,
      }: { name?: string } & Abortable = {}): Promise<AddedPasskey> => {
        const { challenge, publicKey } = await ask("passkeys");
        const credential = await passkeys.create(publicKey, { signal });
        const input = { challenge, credential, name };
        return noted(await client.call("POST", "passkeys", input));
      },

      rename: (id: string, name: string): Promise<void> =>
        client.call("PUT", `passkeys/${encodeURIComponent(id)}`, { name }),

      /** Needs a reauthentication. */
      remove: (id: string): Promise<void> =>
        client.call("DELETE", `passkeys/${encodeURIComponent(id)}`),

      /** Signs up with a passkey in place of a password. Confirm a `proof` without session with `confirmSignUp`, in the same browser. */
      signUp: async ({
        name,
        signal,
        ...input
      }: Pick<SignUp, "email" | "deviceName" | "locale"> & {
        name?: string;
      } & Abortable): Promise<SignedUp & WithRecoveryCodes> => {
        const { email } = input;
        const { challenge, publicKey } = await ask("signup/passkey", { email });
        const credential = await passkeys.create(publicKey, { signal });
        const passkey = { challenge, credential, name };
        const body = { ...input, passkey };
        return signedUp(await client.begin("signup", body, email));
      },

      /** As the client's `confirmSignUp`, with the recovery codes. */
      confirmSignUp: async (
        input: SignUpConfirmation,
      ): Promise<SignedUp & WithRecoveryCodes> =>
        signedUp(await client.begin("signup/confirm", input)),

      /**
       * Signs in with a passkey, without an address and a second step.
       *
       * @param autofill Offer passkeys where the browser fills in forms, without a dialog, until one is chosen; abort it when the form goes.
       */
      signIn: async ({
        autofill,
        deviceName,
        signal,
      }: {
        autofill?: boolean;
        deviceName?: string;
      } & Abortable = {}): Promise<Session> => {
        const path = "signin/passkey";
        const passkey = await (autofill ? filledIn : shown)(path, signal);
        return begun(path, { ...passkey, deviceName });
      },

      /** The second step of a sign-in. */
      signInFactor: async (
        { challenge, publicKey = {} }: FactorChallenge,
        how: Abortable = {},
      ): Promise<Session> => {
        const credential = await passkeys.get(publicKey, how);
        return begun("signin/factor", { challenge, credential });
      },

      /** As the client's `reauthenticate`, with a passkey. */
      reauthenticate: async ({ signal }: Abortable = {}): Promise<{
        expiresIn: number;
      }> =>
        client.reauthenticate(await shown("reauthenticate/passkey", signal)),
    },
  };
}

const signedUp = ({ session, proof, recoveryCodes }: Partial<Begun>) =>
  ({ session: session ?? null, proof, recoveryCodes }) as SignedUp &
    WithRecoveryCodes;

/** Waits until the page can be seen, so that nobody is asked for the sake of a tab in the background. */
function seen(signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (signal?.aborted) reject(signal.reason);
      else if (document.visibilityState === "visible") resolve();
      else return;
      document.removeEventListener("visibilitychange", look);
      signal?.removeEventListener("abort", look);
    };
    document.addEventListener("visibilitychange", look);
    signal?.addEventListener("abort", look);
    look();
  });
}
