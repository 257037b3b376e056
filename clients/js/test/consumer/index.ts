// What a project in TypeScript sees of the package: it must compile.

import {
  createClient,
  RevolveError,
  type AuthenticationChallenge,
  type ListedSession,
  type SignedUp,
  type State,
  type TokenStore,
  type User,
} from "revolve-client";
import {
  challengeOf,
  factorsOf,
  passkeys,
  type FactorChallenge,
  type Factors,
  type WebAuthnJson,
} from "revolve-client/factors";

const store: TokenStore = {
  async update(change: (state: State) => State) {
    return change({});
  },
};

export async function story(): Promise<User | null> {
  const client = createClient({
    url: new URL("https://accounts.example.org"),
    tokens: "storage",
    origins: ["https://api.example.org"],
    reauthenticate: async ({ maxAge, acrValues }: AuthenticationChallenge) => {
      const text = `${maxAge ?? "any"} ${acrValues.join()}`;
      if (text) await client.reauthenticate({ currentPassword: text });
    },
    store,
  });
  const off: () => void = client.on("signed-out", (reason: string) => reason);
  client.on("signed-in", ({ id, endsAt }) => `${id} ${endsAt}`);
  const input = { email: "ann@example.org", password: "correct horse battery" };
  try {
    const signedUp: SignedUp = await client.signUp(input);
    if (!signedUp.session) {
      const proof: string = signedUp.proof.id;
      await client.confirmSignUp({ ...input, proof, code: "204816" });
    }
    // @ts-expect-error: a password is needed
    await client.signIn({ email: "ann@example.org" });
  } catch (error) {
    if (!(error instanceof RevolveError)) throw error;
    if (error.code === "invalid_fields") {
      const fields: string[] = error.fields.map(({ field }) => field);
      throw new Error(fields.join());
    }
  }
  const orders: Response = await client.fetch("https://api.example.org/orders");
  const sessions: ListedSession[] = await client.sessions.list();
  // @ts-expect-error: there is no such scope
  await client.signOut({ scope: sessions[0]?.id ?? orders.url });
  off();
  return client.user();
}

export async function secondStep(error: unknown): Promise<string[]> {
  const client = createClient({ url: "https://e.example", tokens: "cookie" });
  const factors = factorsOf(client);
  const challenge: FactorChallenge | undefined = challengeOf(error);
  if (!challenge) return [];
  if (challenge.factors.includes("passkey")) {
    await factors.passkeys.signInFactor(challenge);
  } else {
    await factors.signInFactor(challenge, { totp: "204816" });
  }
  const json: WebAuthnJson = await passkeys.get(challenge.publicKey ?? {}, {
    mediation: "conditional",
    signal: new AbortController().signal,
  });
  const { totp }: Factors = await factors.list();
  const { recoveryCodes = [] } = await factors.passkeys.add({ name: "a key" });
  // @ts-expect-error: an address is needed
  await factors.passkeys.signUp({ name: `${json["id"]} ${totp?.createdAt}` });
  return recoveryCodes;
}
