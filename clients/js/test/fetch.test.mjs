import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
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

const ME = "api/account/me";

let world, front, url;
before(async () => {
  world = await open({ ACCOUNTS__VERIFICATION: "off" });
  front = world.front;
  url = `${front.url}/${ME}`;
});
after(() => world?.close());
beforeEach(() => {
  front.heal();
  front.requests = [];
});

/** What another service sees: the requests, each answered with the next of these, then with 200. */
function service(...answers) {
  const seen = [];
  const fetch = async (input, init) => {
    const request = new Request(input, { duplex: "half", ...init });
    if (request.url.startsWith(`${front.url}/api`)) {
      return globalThis.fetch(request);
    }
    const { status = 200, body = "" } = answers.shift() ?? {};
    const token = request.headers.get("authorization");
    const text = await request.text();
    seen.push({ token, text, headers: request.headers, request });
    return new Response(body, { status });
  };
  return { seen, options: { fetch, origins: ["https://shop.example.org"] } };
}

const SHOP = "https://shop.example.org/orders";
const expired = { status: 401, body: '{"code":"token_expired"}' };

test("a request gets the ID token, beside the headers that it has", async () => {
  const { client } = await signedUp(world);
  const { fetch } = client;
  const answer = await fetch(url, { headers: { accept: "application/json" } });
  assert.equal(answer.status, 200);
  const { headers } = front.requests.at(-1);
  assert.equal(headers.authorization, `Bearer ${await client.idToken()}`);
  assert.equal(headers.accept, "application/json");
  const request = new Request(url, { headers: { "x-trace": "1" } });
  assert.equal((await fetch(request)).status, 200);
  assert.equal(front.requests.at(-1).headers["x-trace"], "1");
});

test("tokens go to the client's own origins, and nowhere else", async () => {
  const shop = service();
  const { client } = await signedUp(world, shop.options);
  await client.fetch(SHOP);
  assert.match(shop.seen[0].token, /^Bearer ./);
  // The device credential is for the account API.
  assert.equal(shop.seen[0].headers.get("revolve-device"), null);
  for (const foreign of [
    "https://shop.example.org.evil.example/orders",
    "https://evil.example/?https://shop.example.org/",
    "http://shop.example.org/orders",
    "https://shop.example.org:8443/orders",
    new Request("https://evil.example/"),
    "data:text/plain,",
  ]) {
    assert.ok((await errorOf(client.fetch(foreign))) instanceof TypeError);
  }
  assert.equal(shop.seen.length, 1);
});

test("a refused request is sent once more with a new token, whole", async () => {
  const bodies = [
    ["text", "text"],
    [new URLSearchParams({ a: "b" }), "a=b"],
    [new Blob(["blob"]), "blob"],
    [new TextEncoder().encode("bytes"), "bytes"],
    [undefined, ""],
  ];
  for (const [body, text] of bodies) {
    for (const isRequest of [false, true]) {
      const shop = service(expired);
      const { client } = await signedUp(world, shop.options);
      const init = { method: "POST", body };
      const answer = await (isRequest
        ? client.fetch(new Request(SHOP, init))
        : client.fetch(SHOP, init));
      assert.equal(answer.status, 200, text);
      const [first, second, ...more] = shop.seen;
      assert.deepEqual([first.text, second.text], [text, text]);
      assert.notEqual(first.token, second.token);
      assert.equal(second.token, `Bearer ${await client.idToken()}`);
      assert.deepEqual(more, []);
    }
  }
});

test("a form is sent once more with its files", async () => {
  const shop = service(expired);
  const { client } = await signedUp(world, shop.options);
  const body = new FormData();
  body.set("file", new Blob(["content"]), "name.txt");
  assert.equal(
    (await client.fetch(SHOP, { method: "POST", body })).status,
    200,
  );
  for (const { text } of shop.seen) assert.match(text, /content/);
  assert.equal(shop.seen.length, 2);
});

test("a stream can't be sent twice: its 401 is the answer", async () => {
  for (const body of [
    new Blob(["stream"]).stream(),
    (async function* () {
      yield new TextEncoder().encode("stream");
    })(),
  ]) {
    const shop = service(expired);
    const { client } = await signedUp(world, shop.options);
    front.requests = [];
    const init = { method: "POST", body, duplex: "half" };
    const answer = await client.fetch(SHOP, init);
    assert.equal(answer.status, 401);
    assert.deepEqual(
      shop.seen.map(({ text }) => text),
      ["stream"],
    );
  }
});

test("a second 401 is the answer, and so is one whose refresh fails", async () => {
  const twice = service(expired, expired);
  const { client } = await signedUp(world, twice.options);
  assert.equal((await client.fetch(SHOP)).status, 401);
  assert.equal(twice.seen.length, 2);

  const once = service(expired);
  const other = await signedUp(world, once.options);
  const events = eventsOf(other.client);
  front.fail("POST tokens", { status: 503 });
  const answer = await other.client.fetch(SHOP);
  assert.equal(answer.status, 401);
  assert.equal(await answer.text(), expired.body);
  assert.deepEqual(events, []);
  assert.equal((await other.client.user()).email, other.email);
});

test("other answers are as they come, and errors, too", async () => {
  const shop = service({ status: 403 }, { status: 503 });
  const { client } = await signedUp(world, shop.options);
  assert.equal((await client.fetch(SHOP)).status, 403);
  assert.equal((await client.fetch(SHOP)).status, 503);
  front.fail("GET me", "refuse");
  assert.ok((await errorOf(client.fetch(url))) instanceof TypeError);
  const aborted = client.fetch(url, { signal: AbortSignal.abort() });
  assert.equal((await errorOf(aborted)).name, "AbortError");
});

test("somebody who is not signed in sends no token", async () => {
  const client = clientOf(world);
  const answer = await client.fetch(url);
  assert.equal(answer.status, 401);
  assert.deepEqual(
    front.requests.map(({ call, headers }) => [call, headers.authorization]),
    [["GET me", undefined]],
  );
});

test("a request is as it was, but for the token", async () => {
  const shop = service();
  const { client } = await signedUp(world, shop.options);
  const request = new Request(SHOP, {
    referrerPolicy: "no-referrer",
    cache: "no-cache",
  });
  await client.fetch(request);
  await client.fetch(request, { cache: "reload" });
  const [first, second] = shop.seen.map(({ request }) => request);
  assert.equal(first.referrerPolicy, "no-referrer");
  assert.equal(first.cache, "no-cache");
  assert.equal(second.cache, "reload");
  for (const { token } of shop.seen) assert.match(token, /^Bearer ./);
});

test("an answer that breaks off does not stand in the way of the second try", async () => {
  const broken = new ReadableStream({
    start: (body) => body.error(new TypeError("terminated")),
  });
  const shop = service({ status: 401, body: broken });
  const { client } = await signedUp(world, shop.options);
  assert.equal((await client.fetch(SHOP)).status, 200);
  assert.equal(shop.seen.length, 2);
});

test("who is led elsewhere does not take the token along", async () => {
  const tokens = [];
  const elsewhere = createServer(({ headers }, response) => {
    tokens.push(headers.authorization);
    response.end();
  });
  await new Promise((resolve) => elsewhere.listen(0, "localhost", resolve));
  const { port } = elsewhere.address();
  const location = `http://localhost:${port}/`;
  const gate = createServer(({ headers }, response) => {
    tokens.push(headers.authorization);
    response.writeHead(302, { location }).end();
  });
  await new Promise((resolve) => gate.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${gate.address().port}`;
  try {
    const { client } = await signedUp(world, { origins: [origin] });
    assert.equal((await client.fetch(`${origin}/orders`)).status, 200);
    assert.match(tokens[0], /^Bearer ./);
    assert.deepEqual(tokens.slice(1), [undefined]);
    // The account API leads nowhere.
    front.fail("GET me", { status: 302, headers: { location } });
    assert.ok((await errorOf(client.fetch(url))) instanceof TypeError);
    assert.equal(tokens.length, 2);
  } finally {
    for (const server of [gate, elsewhere]) {
      server.close();
      server.closeAllConnections();
    }
  }
});

test("who aborts does not wait for a refresh, which goes on", async () => {
  const now = () => Date.now() + now.shift;
  now.shift = 0;
  const { client } = await signedUp(world, { now });
  const old = await client.idToken();
  now.shift = 20 * 60_000;
  const answer = front.hold("POST tokens");
  const end = new AbortController();
  const { signal } = end;
  const refused = [
    client.fetch(url, { signal }),
    client.fetch(new Request(url, { signal })),
    client.fetch(new Request(url), { signal }),
  ].map(errorOf);
  // The last word has the second argument.
  const goesOn = client.fetch(new Request(url, { signal }), { signal: null });
  await answer.held;
  const reason = new Error("enough");
  end.abort(reason);
  for (const error of refused) assert.equal(await error, reason);
  assert.equal(await errorOf(client.fetch(url, { signal })), reason);
  assert.equal(front.count("GET me"), 0);
  answer.release();
  assert.equal((await goesOn).status, 200);
  assert.notEqual(await client.idToken(), old);
  assert.equal(front.count("POST tokens"), 1);
});

/** Two clients of one store: the first is Ann's, until Bob signs in by the second. */
async function twoAccounts(options) {
  const store = sharedMemory();
  const { client } = await signedUp(world, { ...options, store });
  const bob = { email: address(), password: PASSWORD };
  const other = clientOf(world, { store });
  const change = async () => {
    await other.signOut();
    await other.signUp(bob);
  };
  return { client, change, store, bob };
}

test("what changes something is not done as somebody else", async () => {
  const { client, change, bob } = await twoAccounts();
  for (const [refused, work] of [
    ["account_changed", () => client.updateUser({ name: "Ann" })],
    [401, () => client.fetch(url, { method: "DELETE" })],
    [401, () => client.fetch(new Request(url, { method: "DELETE" }))],
  ]) {
    // Bob signs in while the request is under way.
    for (const call of ["PUT details", "DELETE me"]) {
      front.fail(call, async (forward) => {
        front.heal();
        await change();
        return forward();
      });
    }
    front.requests = [];
    const answer = await work().catch((error) => error);
    assert.equal(answer.code ?? answer.status, refused);
    const changes = front.requests.filter(({ call }) => !/POST/.test(call));
    assert.equal(changes.length, 1);
    bob.email = address();
  }
  // From then on all is Bob's.
  assert.equal((await client.updateUser({ name: "Bob" })).user.name, "Bob");
});

test("what was asked for as one account is not done as the one that signs in meanwhile", async () => {
  const now = () => Date.now() + now.shift;
  now.shift = 0;
  const { client, change, bob } = await twoAccounts({ now });
  now.shift = 20 * 60_000;
  front.fail("POST tokens", async (forward) => {
    front.heal();
    const answer = await forward();
    await change();
    return answer;
  });
  const error = await errorOf(client.updateUser({ name: "Ann" }));
  assert.equal(error?.code, "account_changed");
  assert.equal(front.count("PUT details"), 0);
  // Who only reads, reads what is now.
  const { name, email } = await client.user();
  assert.deepEqual([name, email], [null, bob.email]);
});
