import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { challengeOf, factorsOf, passkeys } from "../dist/factors.js";
import { Authenticator } from "./support/authenticator.mjs";
import {
  address,
  clientOf,
  errorOf,
  eventsOf,
  open,
  PASSWORD,
  signedUp,
} from "./support/world.mjs";

let world, front, authenticator;
before(async () => {
  world = await open({ ACCOUNTS__VERIFICATION: "off" }, "localhost");
  front = world.front;
});
after(() => world.close());
beforeEach(() => {
  front.heal();
  front.requests = [];
  authenticator = new Authenticator(front.url);
  authenticator.install();
});

/** How often the user was asked. */
const asked = () => authenticator.asked.map(({ kind }) => kind);

/** Somebody who has signed up with a password and has a passkey, too. */
async function withPasskey() {
  const { client, email } = await signedUp(world);
  await client.reauthenticate({ currentPassword: PASSWORD });
  const added = await factorsOf(client).passkeys.add({ name: "Ann's phone" });
  authenticator.asked = [];
  return { client, email, ...added };
}

test("a sign-up asks for a passkey once, and signs in", async () => {
  const client = clientOf(world);
  const events = eventsOf(client);
  const email = address();
  const { passkeys } = factorsOf(client);
  const { session, recoveryCodes } = await passkeys.signUp({
    email,
    name: "Ann's phone",
    deviceName: "Ann's browser",
  });
  assert.deepEqual(asked(), ["create"]);
  assert.equal(recoveryCodes.length, 10);
  assert.equal((await client.user()).email, email);
  assert.deepEqual(events, ["signed-in"]);
  const [passkey] = await passkeys.list();
  assert.equal(passkey.name, "Ann's phone");
  const [listed] = await client.sessions.list();
  assert.deepEqual(
    [listed.id, listed.device.name],
    [session.id, "Ann's browser"],
  );
  const again = await errorOf(passkeys.signUp({ email }));
  assert.equal(again.code, "email_taken");
});

test("a passkey signs in without an address and a second step", async () => {
  const { email } = await withPasskey();
  const client = clientOf(world);
  const events = eventsOf(client);
  const { passkeys } = factorsOf(client);
  await passkeys.signIn({ deviceName: "Ann's browser" });
  const [{ publicKey }] = authenticator.asked;
  assert.equal(publicKey.userVerification, "required");
  assert.ok(publicKey.challenge instanceof Uint8Array);
  assert.equal((await client.user()).email, email);
  assert.deepEqual(events, ["signed-in"]);
  const names = (await client.sessions.list()).map(({ device }) => device.name);
  assert.ok(names.includes("Ann's browser"), names);
});

test("a passkey is the second step of a sign-in by password", async () => {
  const { email, passkey } = await withPasskey();
  const client = clientOf(world);
  const refused = client.signIn({ email, password: PASSWORD });
  const challenge = challengeOf(await errorOf(refused));
  assert.deepEqual(challenge.factors, ["passkey", "recovery_code"]);
  await factorsOf(client).passkeys.signInFactor(challenge);
  const [{ publicKey }] = authenticator.asked;
  assert.equal(publicKey.allowCredentials.length, 1);
  assert.equal((await client.user()).email, email);
  const [used] = await factorsOf(client).passkeys.list();
  assert.equal(used.id, passkey.id);
  assert.ok(used.usedAt);
});

test("passkeys are listed, renamed and removed, but not the last way in", async () => {
  const { client, passkey, recoveryCodes } = await withPasskey();
  assert.equal(passkey.name, "Ann's phone");
  assert.equal(recoveryCodes.length, 10);
  const { passkeys } = factorsOf(client);
  await client.reauthenticate({ currentPassword: PASSWORD });
  const another = await passkeys.add();
  assert.equal(another.recoveryCodes, undefined);
  const [{ publicKey }] = authenticator.asked;
  assert.equal(publicKey.excludeCredentials.length, 1);
  await passkeys.rename(another.passkey.id, "Ann's key");
  const names = (await passkeys.list()).map(({ name }) => name);
  assert.deepEqual(names, ["Ann's phone", "Ann's key"]);
  for (const { id } of await passkeys.list()) await passkeys.remove(id);
  assert.deepEqual(await passkeys.list(), []);

  const other = clientOf(world);
  const { passkeys: alone } = factorsOf(other);
  await alone.signUp({ email: address() });
  await alone.reauthenticate();
  const [{ id }] = await alone.list();
  assert.equal((await errorOf(alone.remove(id))).code, "last_factor");
});

test("a passkey shows that it is still the user", async () => {
  const { client } = await withPasskey();
  const { passkeys } = factorsOf(client);
  const { expiresIn } = await passkeys.reauthenticate();
  assert.ok(expiresIn > 0);
  assert.deepEqual(asked(), ["get"]);
  await client.deleteAccount();
  assert.equal(await client.user(), null);
});

test("a passkey answers the challenge of a service", async () => {
  const email = address();
  const client = clientOf(world, {
    reauthenticate: () => factorsOf(client).passkeys.reauthenticate(),
  });
  const { passkeys } = factorsOf(client);
  await passkeys.signUp({ email });
  const challenge = 'Bearer error="insufficient_user_authentication"';
  const headers = { "www-authenticate": `${challenge}, acr_values="mfa"` };
  front.fail("GET me", { status: 401, headers });
  const answer = await client.fetch(`${front.url}/api/account/me`);
  assert.equal(answer.status, 200);
  assert.deepEqual(asked(), ["create", "get"]);
});

test("what the authenticator makes without the user, or the user declines, begins no session", async () => {
  const { email } = await withPasskey();
  const client = clientOf(world);
  const { passkeys } = factorsOf(client);
  authenticator.verifiesUser = false;
  const error = await errorOf(passkeys.signIn());
  assert.equal(error.code, "credential_refused");
  new Authenticator(front.url).install();
  const declined = await errorOf(passkeys.signIn());
  assert.equal(declined.name, "NotAllowedError");
  const refused = await errorOf(client.signIn({ email, password: PASSWORD }));
  const step = passkeys.signInFactor(challengeOf(refused));
  assert.equal((await errorOf(step)).name, "NotAllowedError");
  assert.equal(front.count("POST signin/factor"), 0);
  assert.equal(await client.user(), null);
});

test("an aborted ceremony asks nobody", async () => {
  const { client } = await withPasskey();
  // The first factor has ended what was shown before.
  await client.reauthenticate({ currentPassword: PASSWORD });
  const reason = new Error("left");
  const signal = AbortSignal.abort(reason);
  const { add, signIn, reauthenticate } = factorsOf(client).passkeys;
  for (const work of [add, signIn, reauthenticate]) {
    assert.equal(await errorOf(work({ signal })), reason);
  }
  const autofill = signIn({ signal, autofill: true });
  assert.equal(await errorOf(autofill), reason);
  assert.deepEqual(asked(), []);
});

test("outside of browsers there are no passkeys", async () => {
  assert.equal(passkeys.isAvailable(), false);
  assert.equal(await passkeys.canAutofill(), false);
});
