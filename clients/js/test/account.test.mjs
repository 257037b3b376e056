import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient, RevolveError } from "../dist/index.js";
import {
  address,
  clientOf,
  errorOf,
  eventsOf,
  open,
  PASSWORD,
  sharedMemory,
  signedUp,
} from "./support/world.mjs";

let world;
before(async () => {
  world = await open({ ACCOUNTS__VERIFICATION: "off" });
});
after(() => world?.close());

test("an account from the sign-up to its end", async () => {
  const client = clientOf(world);
  const events = eventsOf(client);
  assert.equal(await client.user(), null);
  const email = address();
  const { session, proof } = await client.signUp({ email, password: PASSWORD });
  assert.equal(proof, undefined);
  assert.equal((await client.user()).email, email);

  const { user } = await client.updateUser({ name: "Ann" });
  assert.equal(user.name, "Ann");
  assert.equal((await client.refresh()).id, session.id);
  const newPassword = "battery horse correct";
  await client.changePassword({ currentPassword: PASSWORD, newPassword });
  await client.signOut();
  assert.equal(await client.user(), null);
  assert.equal(await client.idToken(), null);

  await client.signIn({ email, password: newPassword, deviceName: "Laptop" });
  const { entries } = await client.activity({ limit: 2 });
  assert.equal(entries.length, 2);
  const refused = await errorOf(client.deleteAccount());
  assert.equal(refused.code, "reauthentication_required");
  const shown = await client.reauthenticate({ currentPassword: newPassword });
  assert.ok(shown.expiresIn > 0);
  await client.deleteAccount();
  assert.equal(await client.user(), null);
  assert.deepEqual(events, [
    "signed-in",
    "refreshed",
    "signed-out sign_out",
    "signed-in",
    "signed-out account_deleted",
  ]);
});

test("where tokens are kept has to be said", () => {
  const { url } = world.front;
  for (const tokens of [undefined, "cookies", "Memory", "storage"]) {
    const create = () => createClient({ url, tokens });
    assert.throws(create, TypeError);
  }
});

test("problems are typed", async () => {
  const { client, email } = await signedUp(world);
  const invalid = await errorOf(
    client.signUp({ email: "ann", password: "short" }),
  );
  assert.ok(invalid instanceof RevolveError);
  assert.equal(invalid.code, "invalid_fields");
  assert.equal(invalid.status, 422);
  assert.equal(invalid.isTemporary, false);
  assert.deepEqual(
    invalid.fields.map(({ field, code }) => [field, code]),
    [
      ["email", "invalid_email"],
      ["password", "too_short"],
    ],
  );
  const taken = await errorOf(client.signUp({ email, password: PASSWORD }));
  assert.equal(taken.code, "email_taken");
  const wrong = await errorOf(client.signIn({ email, password: "wrong" }));
  assert.equal(wrong.code, "invalid_credentials");
  assert.equal(wrong.problem.status, 401);
  // A sign-in that fails is no sign-out.
  assert.equal((await client.user()).email, email);

  // The service's clock, which is not this device's.
  const ahead = Date.now() + 24 * 60 * 60_000;
  const dated = (time) => new Date(ahead + time).toUTCString();
  for (const [header, seconds] of [
    ["7", 7],
    [dated(60_000), 60],
    [dated(-60_000), undefined],
    [undefined, undefined],
  ]) {
    world.front.fail("POST signin", {
      status: 429,
      headers: { date: dated(0), ...(header && { "retry-after": header }) },
      body: JSON.stringify({ code: "rate_limited", detail: "Later." }),
    });
    const limited = await errorOf(client.signIn({ email, password: PASSWORD }));
    assert.equal(limited.code, "rate_limited");
    assert.equal(limited.isTemporary, true);
    assert.equal(limited.retryAfter && Math.ceil(limited.retryAfter), seconds);
  }
});

test("sessions are listed and ended, and their clients are told why", async () => {
  const { client, email, session } = await signedUp(world);
  const signIn = async () => {
    const other = clientOf(world);
    const events = eventsOf(other);
    const { id } = await other.signIn({ email, password: PASSWORD });
    return { other, events, id };
  };
  const [first, second] = [await signIn(), await signIn()];
  const listed = await client.sessions.list();
  assert.deepEqual(
    listed.map(({ id }) => id).sort(),
    [session.id, first.id, second.id].sort(),
  );
  assert.equal(listed.find(({ current }) => current).id, session.id);

  await client.sessions.end(first.id);
  assert.equal(await first.other.user(), null);
  assert.deepEqual(first.events, ["signed-in", "signed-out session_revoked"]);
  assert.equal((await second.other.user()).email, email);

  await client.sessions.endOthers();
  assert.equal(await second.other.refresh(), null);
  assert.deepEqual(second.events, ["signed-in", "signed-out session_revoked"]);
  assert.equal((await client.sessions.list()).length, 1);

  const third = await signIn();
  await client.signOut({ scope: "everywhere" });
  assert.equal(await third.other.user(), null);
  assert.equal(await client.user(), null);
});

test("a sign-out that the service has not heard of is none", async () => {
  const { client, email } = await signedUp(world);
  const events = eventsOf(client);
  for (const fault of ["refuse", { status: 503 }]) {
    world.front.fail("POST signout", fault);
    assert.equal((await errorOf(client.signOut())).isTemporary, true);
    assert.equal((await client.user()).email, email);
  }
  world.front.fail("POST signout", "lose");
  assert.equal((await errorOf(client.signOut())).code, "no_answer");
  // The session is over, but the client can't know.
  assert.deepEqual(events, []);
  await client.signOut();
  assert.deepEqual(events, ["signed-out session_revoked"]);
});

test("the device is known again, and shown to the account API alone", async () => {
  const store = sharedMemory();
  const { client, email } = await signedUp(world, { store });
  const { front } = world;
  const deviceOf = async () =>
    (await client.sessions.list()).find(({ current }) => current).device;
  const { id } = await deviceOf();
  await client.refresh();
  assert.deepEqual(
    { ...(await deviceOf()), userAgent: null, name: null },
    { id, bound: true, userAgent: null, name: null },
  );
  await client.signOut();
  // Somebody else, in between, on the same computer.
  const other = address();
  await client.signUp({ email: other, password: PASSWORD });
  assert.notEqual((await deviceOf()).id, id);
  await client.signOut();
  await client.signIn({ email: ` ${email.toUpperCase()}`, password: PASSWORD });
  assert.equal((await deviceOf()).id, id);

  await client.fetch(`${front.url}/elsewhere`);
  const shown = front.requests.filter(
    ({ headers }) => headers["revolve-device"],
  );
  assert.ok(shown.length > 0);
  for (const { call, headers } of front.requests) {
    assert.equal(headers["revolve-tokens"], undefined, call);
  }
});
