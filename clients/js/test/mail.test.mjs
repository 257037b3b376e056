import assert from "node:assert/strict";
import { test } from "node:test";
import {
  address,
  clientOf,
  errorOf,
  eventsOf,
  open,
  PASSWORD,
} from "./support/world.mjs";

const NEW = "battery horse correct";

/** Runs a test with a service of these settings. */
const withService = (settings, run) => async () => {
  const world = await open(settings);
  try {
    await run(world);
  } finally {
    await world.close();
  }
};

test(
  "a sign-up that proves its mailbox first",
  withService({ ACCOUNTS__VERIFICATION: "required" }, async (world) => {
    const client = clientOf(world);
    const events = eventsOf(client);
    const email = address();
    const { session, proof } = await client.signUp({
      email,
      password: PASSWORD,
    });
    assert.equal(session, null);
    assert.equal(await client.user(), null);
    const { code } = await world.service.mail("sign_up", email);
    const input = { proof: proof.id, password: PASSWORD };
    const wrong = code === "000000" ? "000001" : "000000";
    const error = await errorOf(
      client.confirmSignUp({ ...input, code: wrong }),
    );
    assert.equal(error.code, "code_wrong");
    assert.equal(error.problem.attemptsLeft, 4);
    await client.confirmSignUp({ ...input, code });
    const user = await client.user();
    assert.deepEqual([user.email, user.emailVerified], [email, true]);
    assert.deepEqual(events, ["signed-in"]);
  }),
);

test(
  "a forgotten password, a verified address, a code in place of the password",
  withService({ ACCOUNTS__SIGN_IN_CODE: "true" }, async (world) => {
    const { mail } = world.service;
    const email = address();
    const client = clientOf(world);
    const { proof } = await client.signUp({ email, password: PASSWORD });
    const first = await mail("verify_email", email);
    await client.email.confirm({ proof: proof.id, code: first.code });
    assert.equal((await client.user()).emailVerified, true);
    const again = await errorOf(client.email.verify());
    assert.equal(again.code, "email_verified");

    const reset = await client.recovery.request(email);
    const { code: resetCode } = await mail("reset_password", email);
    const confirmation = { proof: reset.id, code: resetCode, newPassword: NEW };
    const { id: recovered } = await client.recovery.confirm(confirmation);
    await client.signOut();
    const { id } = await client.signIn({ email, password: NEW });
    assert.notEqual(id, recovered);

    await client.signOut();
    const asked = await client.signInByCode.request(email);
    const { code } = await mail("sign_in", email);
    await client.signInByCode.confirm({ proof: asked.id, code });
    assert.equal((await client.user()).email, email);
    // All on one device: who asks for a mail shows it, and so does who confirms.
    const [session, ...others] = await client.sessions.list();
    assert.equal(session.device.bound, true);
    assert.deepEqual(others, []);
  }),
);

test(
  "another address, which proves itself, and the undo of that",
  withService({ ACCOUNTS__VERIFICATION: "optional" }, async (world) => {
    const { mail } = world.service;
    const client = clientOf(world);
    const email = address();
    await client.signUp({ email, password: PASSWORD });
    await mail("verify_email", email);
    const verify = await client.email.verify();
    const sent = await mail("verify_email", email);
    await client.email.confirm({ proof: verify.id, code: sent.code });

    const other = address();
    const details = { email: other, currentPassword: PASSWORD };
    const asked = await client.updateUser(details);
    assert.equal(asked.user, undefined);
    assert.equal((await client.user()).email, email);
    const { code } = await mail("change_email", other);
    await client.email.confirm({ proof: asked.proof.id, code });
    assert.equal((await client.user()).email, other);

    const undo = await mail("email_changed", email);
    await client.email.undoChange({ ...undo, newPassword: NEW });
    assert.equal((await client.user()).email, email);
  }),
);
