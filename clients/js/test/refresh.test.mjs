import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  clientOf,
  errorOf,
  eventsOf,
  open,
  PASSWORD,
  sharedMemory,
  signedUp,
} from "./support/world.mjs";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const REFRESH = "POST tokens";

let world, front;
before(async () => {
  world = await open({ ACCOUNTS__VERIFICATION: "off" });
  front = world.front;
});
after(() => world?.close());
beforeEach(() => {
  front.heal();
  front.requests = [];
});

/** A clock that is wrong, and goes. */
function clock(wrong = 0) {
  const now = () => Date.now() + now.shift;
  now.shift = wrong;
  return now;
}

const sentTokens = () =>
  front.requests
    .filter(({ call }) => call === REFRESH)
    .map(({ body }) => JSON.parse(body).refreshToken);

test("an ID token is refreshed before it expires, whatever the device's clock says", async () => {
  for (const wrong of [0, 2 * 60 * MINUTE, -2 * 60 * MINUTE]) {
    const now = clock(wrong);
    const { client } = await signedUp(world, { now });
    front.requests = [];
    const first = await client.idToken();
    now.shift += 14 * MINUTE;
    assert.equal(await client.idToken(), first);
    assert.equal(front.count(REFRESH), 0, `clock wrong by ${wrong}`);
    now.shift += MINUTE - 20_000;
    const second = await client.idToken();
    assert.notEqual(second, first);
    assert.equal(await client.idToken(), second);
    assert.equal(front.count(REFRESH), 1, `clock wrong by ${wrong}`);
  }
});

test("a clock that is put back does not make an old token a fresh one", async () => {
  const now = clock();
  const { client } = await signedUp(world, { now });
  now.shift = -DAY;
  await client.idToken();
  assert.equal(front.count(REFRESH), 1);
});

test("many who need a token share one refresh", async () => {
  const now = clock();
  const store = sharedMemory();
  const { client, email } = await signedUp(world, { now, store });
  now.shift = 20 * MINUTE;
  front.requests = [];
  const calls = Array.from({ length: 20 }, (_, call) =>
    call % 2 ? client.user() : client.fetch(`${front.url}/api/account/me`),
  );
  const answers = await Promise.all(calls);
  assert.equal(front.count(REFRESH), 1);
  for (const answer of answers) {
    assert.equal(answer.status ?? answer.email, answer.status ? 200 : email);
  }
});

test("nothing is cleared while the service can't answer", async () => {
  const proxy = { status: 401, body: "<h1>Sign in to this network</h1>" };
  const portal = { status: 200, body: "<h1>Welcome</h1>" };
  const faults = [
    ["refuse", "no_answer"],
    ["lose", "no_answer"],
    [{ status: 500 }, "unexpected_answer"],
    [{ status: 502, body: "<h1>Bad Gateway</h1>" }, "unexpected_answer"],
    [problem(503, "unavailable"), "unavailable"],
    [problem(429, "rate_limited"), "rate_limited"],
    [problem(403, "csrf_refused"), "csrf_refused"],
    [proxy, "unexpected_answer"],
    [portal, "unexpected_answer"],
    [{ status: 200, body: "{}" }, "unexpected_answer"],
  ];
  const now = clock();
  const { client, email } = await signedUp(world, { now });
  const events = eventsOf(client);
  for (const [fault, code] of faults) {
    now.shift += 20 * MINUTE;
    front.fail(REFRESH, fault);
    const error = await errorOf(client.user());
    assert.equal(error?.code, code, JSON.stringify(fault));
  }
  assert.deepEqual(events, []);
  assert.equal((await client.user()).email, email);
  assert.deepEqual(events, ["refreshed"]);
});

function problem(status, code) {
  return { status, body: JSON.stringify({ code, detail: code, status }) };
}

test("a lost answer is asked for again, with the same token", async () => {
  const now = clock();
  const { client } = await signedUp(world, { now, patience: 20_000 });
  now.shift = 20 * MINUTE;
  front.requests = [];
  front.fail(REFRESH, "lose", 2);
  front.fail(REFRESH, { status: 503 });
  const events = eventsOf(client);
  const token = await client.idToken();
  const sent = sentTokens();
  assert.equal(sent.length, 4);
  assert.equal(new Set(sent).size, 1);
  assert.deepEqual(events, ["refreshed"]);
  const answer = await client.fetch(`${front.url}/api/account/me`);
  assert.equal(answer.status, 200);
  assert.equal(await client.idToken(), token);
});

test("whatever time it took, a first failure is not the last try", async () => {
  const { client } = await signedUp(world, { patience: 1_000 });
  front.fail(REFRESH, async () => {
    await sleep(1_500);
    return { status: 503 };
  });
  assert.notEqual(await client.refresh(), null);
});

test("pauses grow and end, and the service may say how long they are", async () => {
  const { client } = await signedUp(world, { patience: 3_000 });
  const times = [];
  front.fail(
    REFRESH,
    () => {
      times.push(performance.now());
      return { status: 503 };
    },
    Infinity,
  );
  const error = await errorOf(client.refresh());
  assert.equal(error.status, 503);
  const pauses = times.slice(1).map((time, index) => time - times[index]);
  assert.ok(pauses.length >= 2, `${pauses}`);
  assert.ok(pauses.at(-1) > pauses[0], `${pauses}`);
  assert.ok(times.at(-1) - times[0] < 4_000, `${pauses}`);

  front.heal();
  const busy = {
    ...problem(429, "rate_limited"),
    headers: { "retry-after": "1" },
  };
  front.fail(REFRESH, busy);
  const begun = performance.now();
  assert.notEqual(await client.refresh(), null);
  assert.ok(performance.now() - begun >= 1_000);
  // Longer than anybody wants to wait: the caller decides.
  front.fail(REFRESH, { ...busy, headers: { "retry-after": "60" } });
  assert.equal((await errorOf(client.refresh())).retryAfter, 60);
});

test("nobody waits for a refresh that is merely early", async () => {
  const now = clock();
  const { client } = await signedUp(world, { now, patience: 20_000 });
  const token = await client.idToken();
  now.shift = 15 * MINUTE - 10_000;
  front.fail(REFRESH, { status: 503 });
  assert.equal(await client.idToken(), token);
  const answer = front.hold(REFRESH);
  const begun = performance.now();
  assert.equal(await client.idToken(), token);
  assert.ok(performance.now() - begun < 10_000);
  answer.release();
});

test("who needs a token is as patient as ever, also while an early refresh fails", async () => {
  const now = clock();
  const { client } = await signedUp(world, { now, patience: 20_000 });
  const token = await client.idToken();
  now.shift = 15 * MINUTE - 10_000;
  let refuse;
  const begun = new Promise((begun) => {
    front.fail(REFRESH, () => {
      begun();
      return new Promise((answer) => (refuse = answer));
    });
  });
  const early = client.idToken();
  await begun;
  const refreshed = client.refresh();
  refuse({ status: 503 });
  assert.equal(await early, token);
  assert.notEqual(await refreshed, null);
  assert.equal(front.count(REFRESH), 2);
});

test("a call that fails for now is repeated for as long as was said", async () => {
  const now = clock();
  const { client } = await signedUp(world, { now, patience: 1_500 });
  now.shift = 20 * MINUTE;
  front.requests = [];
  const headers = { "retry-after": "1" };
  front.fail(REFRESH, { status: 503, headers }, Infinity);
  assert.equal((await errorOf(client.sessions.list())).status, 503);
  assert.equal(front.count(REFRESH), 2);
});

test("tabs whose clocks differ by little share a token", async () => {
  const store = sharedMemory();
  const { client } = await signedUp(world, { store });
  const behind = clientOf(world, { store, now: clock(-500) });
  front.requests = [];
  assert.equal(await behind.idToken(), await client.idToken());
  assert.equal(front.count(REFRESH), 0);
});

test("a client that slept for days takes the token of the one that was awake", async () => {
  const store = sharedMemory();
  const [awake, asleep] = [clock(), clock()];
  const { client, email } = await signedUp(world, { store, now: awake });
  const sleeper = clientOf(world, { store, now: asleep });
  assert.equal((await sleeper.user()).email, email);
  for (let day = 1; day <= 4; day++) {
    awake.shift = day * DAY;
    await client.idToken();
  }
  asleep.shift = 4 * DAY;
  front.requests = [];
  assert.equal((await sleeper.user()).email, email);
  assert.equal(front.count(REFRESH), 0);
  asleep.shift += DAY;
  const events = eventsOf(sleeper);
  assert.equal((await sleeper.user()).email, email);
  assert.deepEqual(events, ["refreshed"]);
});

test("after `token_stale` the store is read again", async () => {
  const store = sharedMemory();
  const { client, email } = await signedUp(world, { store });
  const old = store.state;
  await client.refresh();
  await client.refresh();
  // What a tab reads at first, where stores are not the same for all at once.
  const reads = [old, old, old];
  const late = {
    update: async (change) => reads.shift() ?? store.update(change),
  };
  const codes = [];
  front.fail(REFRESH, async (forward) => {
    const answer = await forward();
    codes.push(JSON.parse(answer.body).code);
    return answer;
  });
  const other = clientOf(world, { store: late });
  const events = eventsOf(other);
  assert.notEqual(await other.refresh(), null);
  assert.deepEqual(codes, ["token_stale"]);
  assert.equal((await other.user()).email, email);
  assert.deepEqual(events, []);
});

test("a token that stays stale is kept and not sent again, and the error says so", async () => {
  const store = sharedMemory();
  const { client } = await signedUp(world, { store });
  const old = structuredClone(store.state);
  await client.refresh();
  await client.refresh();
  store.state = old;
  front.requests = [];
  const other = clientOf(world, { store });
  assert.equal((await errorOf(other.refresh())).code, "token_stale");
  assert.equal(front.count(REFRESH), 1);
  assert.deepEqual(store.state, old);
});

test("a slow answer does not overwrite a newer sign-in", async () => {
  const store = sharedMemory();
  const { client, email } = await signedUp(world, { store });
  const other = clientOf(world, { store });
  const answer = front.hold(REFRESH);
  const refreshed = client.refresh();
  await answer.held;
  const { id } = await other.signIn({ email, password: PASSWORD });
  answer.release();
  assert.equal((await refreshed).id, id);
  assert.equal((await client.refresh()).id, id);
});

test("a slow answer does not undo a sign-out", async () => {
  const store = sharedMemory();
  const { client } = await signedUp(world, { store });
  const other = clientOf(world, { store });
  const answer = front.hold(REFRESH);
  const refreshed = client.refresh();
  await answer.held;
  await other.signOut();
  answer.release();
  assert.equal(await refreshed, null);
  assert.equal(store.state.session, undefined);
});

test("a session that is over is given up, with the reason", async () => {
  const { client, email, session } = await signedUp(world);
  const events = eventsOf(client);
  const other = clientOf(world);
  await other.signIn({ email, password: PASSWORD });
  await other.sessions.end(session.id);
  assert.equal(await client.refresh(), null);
  assert.deepEqual(events, ["signed-out session_revoked"]);
  front.requests = [];
  assert.equal(await client.refresh(), null);
  assert.equal(await client.user(), null);
  assert.deepEqual(front.requests, []);
});
