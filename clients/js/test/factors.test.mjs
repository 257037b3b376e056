import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { challengeOf, factorsOf } from "../dist/factors.js";
import { codeOf } from "./support/totp.mjs";
import {
  clientOf,
  errorOf,
  eventsOf,
  open,
  PASSWORD,
  sharedMemory,
  signedUp,
} from "./support/world.mjs";

const STEP = "POST signin/factor";

let world, front;
before(async () => {
  world = await open({ ACCOUNTS__VERIFICATION: "off" });
  front = world.front;
});
after(() => world.close());
beforeEach(() => {
  front.heal();
  front.requests = [];
});

/** Somebody with an authenticator app, whose recovery codes she has. */
async function withApp(world, options) {
  const { client, email } = await signedUp(world, options);
  const factors = factorsOf(client);
  await client.reauthenticate({ currentPassword: PASSWORD });
  const { uri } = await factors.totp.setUp();
  const code = codeOf(uri);
  const { recoveryCodes: codes } = await factors.totp.confirm(code);
  return { client, factors, email, uri, code, codes };
}

/** The challenge that signing in leads to. */
async function challenged(client, email) {
  const error = await errorOf(client.signIn({ email, password: PASSWORD }));
  assert.equal(error?.code, "factor_required");
  return challengeOf(error);
}

test("an app is set up after a reauthentication, and is listed", async () => {
  const { client } = await signedUp(world);
  const { totp, list } = factorsOf(client);
  const none = { totp: null, passkeys: [], recoveryCodes: null, reset: null };
  assert.deepEqual(await list(), none);
  assert.equal((await errorOf(totp.setUp())).code, "reauthentication_required");
  await client.reauthenticate({ currentPassword: PASSWORD });
  const { secret, uri, qrCode } = await totp.setUp();
  assert.equal(new URL(uri).searchParams.get("secret"), secret);
  assert.match(qrCode, /^<svg /);
  const wrong = `${codeOf(uri)}`.replace(/./g, (digit) => (+digit + 5) % 10);
  assert.equal((await errorOf(totp.confirm(wrong))).code, "code_wrong");
  const { recoveryCodes } = await totp.confirm(codeOf(uri));
  assert.equal(new Set(recoveryCodes).size, 10);
  const listed = await list();
  assert.ok(listed.totp.confirmedAt);
  assert.equal(listed.recoveryCodes.left, 10);
  // The first factor ends what was shown before.
  assert.equal((await errorOf(totp.setUp())).code, "reauthentication_required");
  await client.reauthenticate({ currentPassword: PASSWORD });
  assert.equal((await errorOf(totp.setUp())).code, "already_set_up");
  await totp.remove();
  assert.deepEqual(await list(), none);
});

test("a sign-in asks for a factor, and goes on with a code", async () => {
  const { email, uri, code } = await withApp(world);
  const client = clientOf(world);
  const events = eventsOf(client);
  const { signInFactor } = factorsOf(client);
  const challenge = await challenged(client, email);
  const { factors, expiresIn, publicKey } = challenge;
  assert.deepEqual(factors, ["totp", "recovery_code"]);
  assert.equal(expiresIn, 300);
  assert.equal(publicKey, undefined);
  assert.equal(await client.user(), null);
  const used = await errorOf(signInFactor(challenge, { totp: code }));
  assert.equal(used.code, "code_used");
  assert.equal(used.problem.attemptsLeft, 4);
  const session = await signInFactor(challenge, { totp: codeOf(uri, 1) });
  assert.ok(session.id);
  assert.equal((await client.user()).email, email);
  assert.deepEqual(events, ["signed-in"]);
  const spent = signInFactor(challenge, { totp: codeOf(uri, 1) });
  assert.equal((await errorOf(spent)).code, "challenge_gone");
});

test("no other error has a challenge", async () => {
  const { client } = await signedUp(world);
  const refused = await errorOf(factorsOf(client).totp.remove());
  for (const error of [refused, new Error("other"), undefined, null, "text"]) {
    assert.equal(challengeOf(error), undefined);
  }
});

test("the second step is shown on the device of the first, which is the account's from then on", async () => {
  const { email, codes } = await withApp(world);
  const store = sharedMemory();
  const client = clientOf(world, { tokens: "storage", store });
  const { signInFactor } = factorsOf(client);
  const challenge = await challenged(client, email);
  const other = factorsOf(clientOf(world));
  const factor = { recoveryCode: codes[0] };
  const elsewhere = await errorOf(other.signInFactor(challenge, factor));
  assert.equal(elsewhere.code, "challenge_gone");
  await signInFactor(challenge, factor);
  await client.signOut();
  front.requests = [];
  const again = await challenged(client, email);
  await signInFactor(again, { recoveryCode: codes[1] });
  const shown = front.requests
    .filter(({ call }) => call.startsWith("POST signin"))
    .map(({ headers }) => headers["revolve-device"].split(".")[0]);
  assert.equal(shown.length, 2);
  assert.equal(new Set(shown).size, 1);
});

test("a recovery code counts once, and new ones void the others", async () => {
  const { client, factors, email, codes } = await withApp(world);
  const { replaceRecoveryCodes, list } = factors;
  await client.reauthenticate({ recoveryCode: codes[0] });
  assert.equal((await list()).recoveryCodes.left, 9);
  const again = await errorOf(
    client.reauthenticate({ recoveryCode: codes[0] }),
  );
  assert.match(again.code, /^code_(wrong|used)$/);
  const replaced = await replaceRecoveryCodes();
  assert.equal(replaced.length, 10);
  const elsewhere = clientOf(world);
  const { signInFactor } = factorsOf(elsewhere);
  const challenge = await challenged(elsewhere, email);
  const show = (recoveryCode) => signInFactor(challenge, { recoveryCode });
  const old = await errorOf(show(codes[1]));
  assert.equal(old.code, "code_wrong");
  await show(replaced[0]);
  assert.equal((await elsewhere.user()).email, email);
});

test("a recovery by mail leads to the second step, too", async () => {
  const { client: owner, email, uri } = await withApp(world);
  const verify = await owner.email.verify();
  const sent = await world.service.mail("verify_email", email);
  await owner.email.confirm({ proof: verify.id, code: sent.code });
  const client = clientOf(world);
  const proof = await client.recovery.request(email);
  const { code } = await world.service.mail("reset_password", email);
  const input = { proof: proof.id, code, newPassword: `${PASSWORD} again` };
  const error = await errorOf(client.recovery.confirm(input));
  const totp = codeOf(uri, 1);
  await factorsOf(client).signInFactor(challengeOf(error), { totp });
  assert.equal((await client.user()).email, email);
});

test("an answer that was lost is no second step that counts twice", async () => {
  const { email, uri } = await withApp(world);
  const client = clientOf(world);
  const { signInFactor } = factorsOf(client);
  const challenge = await challenged(client, email);
  front.fail(STEP, "refuse");
  const show = () => signInFactor(challenge, { totp: codeOf(uri, 1) });
  assert.equal((await errorOf(show())).code, "no_answer");
  await show();
  assert.equal(front.count(STEP), 2);
});

test("a session that had to set up a factor can do everything once it has", async () => {
  const strict = await open({
    ACCOUNTS__VERIFICATION: "off",
    ACCOUNTS__REQUIRE_FACTOR: "always",
  });
  try {
    const { client } = await signedUp(strict);
    const before = await errorOf(client.sessions.list());
    assert.equal(before.code, "factor_setup_required");
    const { totp } = factorsOf(client);
    await client.reauthenticate({ currentPassword: PASSWORD });
    const { uri } = await totp.setUp();
    // The codes are not lost if the tokens can't be refreshed now.
    strict.front.fail("POST tokens", "refuse");
    const { recoveryCodes } = await totp.confirm(codeOf(uri));
    assert.equal(recoveryCodes.length, 10);
    await client.refresh();
    assert.equal((await client.sessions.list()).length, 1);
  } finally {
    await strict.close();
  }
});
