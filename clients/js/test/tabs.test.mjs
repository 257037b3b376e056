// What tabs have in common, where something of it is missing or in the way.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import {
  clientOf,
  errorOf,
  eventsOf,
  open,
  PASSWORD,
  sharedMemory,
  signedUp,
} from "./support/world.mjs";

const { BroadcastChannel } = globalThis;

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
afterEach(() => {
  globalThis.BroadcastChannel = BroadcastChannel;
});

const shared = () => ({ tokens: "storage", store: sharedMemory() });

test("a client that is closed does its work, and hears nobody", async () => {
  const options = shared();
  const { client, email } = await signedUp(world, options);
  const events = eventsOf(client);
  const other = clientOf(world, options);
  client.close();
  assert.notEqual(await client.refresh(), null);
  assert.equal((await client.user()).email, email);
  await other.refresh();
  await client.signOut();
  assert.deepEqual(events, ["refreshed", "signed-out sign_out"]);
  await client.signIn({ email, password: PASSWORD });
  client.close();
  other.close();
});

test("channels may be forbidden", async () => {
  globalThis.BroadcastChannel = class {
    constructor() {
      throw new DOMException("forbidden", "SecurityError");
    }
  };
  const { client, email } = await signedUp(world, shared());
  assert.notEqual(await client.refresh(), null);
  assert.equal((await client.user()).email, email);
  client.close();
});

test("a listener that was taken away is not called any more", async () => {
  const { client } = await signedUp(world);
  const called = [];
  const offs = ["first", "second"].map((name) =>
    client.on("refreshed", () => {
      called.push(name);
      offs.forEach((off) => off());
    }),
  );
  await client.refresh();
  await client.refresh();
  assert.deepEqual(called, ["first"]);
});

test("a lease that was left behind by another clock holds nobody up", async () => {
  const options = shared();
  const { client } = await signedUp(world, options);
  const lease = { by: "somebody", until: Date.now() + 24 * 60 * 60_000 };
  options.store.state = { ...options.store.state, lease };
  const begun = performance.now();
  assert.notEqual(await client.refresh(), null);
  assert.ok(performance.now() - begun < 10_000);
  assert.equal(options.store.state.lease, undefined);
  client.close();
});

test("a store that fails says so, and nothing hangs", async () => {
  const options = shared();
  const { client } = await signedUp(world, options);
  const { update } = options.store;
  options.store.update = async () => {
    throw new Error("no space");
  };
  assert.equal((await errorOf(client.refresh())).message, "no space");
  assert.equal((await errorOf(client.signOut())).message, "no space");
  options.store.update = update;
  assert.notEqual(await client.refresh(), null);
  client.close();
});
