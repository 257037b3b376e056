import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { errorOf, open, PASSWORD, signedUp } from "./support/world.mjs";

const SHOP = "https://shop.example.org/orders";
const CODE = "insufficient_user_authentication";
const CHALLENGE = `Bearer realm="revolve", error="${CODE}", error_description="a more recent authentication, by other methods, is required", max_age="300", acr_values="hwk+user swk"`;
const ASKED = { maxAge: 300, acrValues: ["hwk+user", "swk"] };

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

const challenge = (
  headers = { "www-authenticate": CHALLENGE },
  body = "challenged",
) => new Response(body, { status: 401, headers });

const problem = (document) =>
  challenge(
    { "content-type": "application/problem+json" },
    JSON.stringify(document),
  );

const expired = () =>
  challenge({ "www-authenticate": 'Bearer error="invalid_token"' });

/**
 * Somebody who is signed in and a shop that she uses: it answers what `judge` says of a request's token, else 200. When it asks for another
 * authentication `ask` is done, which is by default to show the password.
 */
async function atShop(judge, ask = (client) => shown(client)) {
  const seen = [];
  const asked = [];
  const fetch = async (input, init) => {
    const request = new Request(input, { duplex: "half", ...init });
    if (request.url.startsWith(front.url)) return globalThis.fetch(request);
    const token = request.headers.get("authorization")?.slice("Bearer ".length);
    const { url } = request;
    seen.push({ token, text: await request.text() });
    return (await judge({ token, url, nth: seen.length })) ?? new Response("");
  };
  const { client, email } = await signedUp(world, {
    fetch,
    origins: [new URL(SHOP).origin],
    reauthenticate: ask && ((demand) => (asked.push(demand), ask(client))),
  });
  front.requests = [];
  return { client, email, seen, asked, old: await client.idToken() };
}

const shown = (client) => client.reauthenticate({ currentPassword: PASSWORD });

/** The first so many answers, then 200. */
const answers =
  (...answers) =>
  ({ nth }) =>
    answers[nth - 1]?.();

test("a challenged request is sent once more, whole, after a reauthentication", async () => {
  for (const isRequest of [false, true]) {
    const shop = await atShop(answers(challenge));
    const { client, seen } = shop;
    const init = { method: "POST", body: "an order" };
    const answer = await (isRequest
      ? client.fetch(new Request(SHOP, init))
      : client.fetch(SHOP, init));
    assert.equal(answer.status, 200);
    assert.deepEqual(shop.asked, [ASKED]);
    assert.deepEqual(
      seen.map(({ text }) => text),
      ["an order", "an order"],
    );
    assert.equal(seen[0].token, shop.old);
    assert.notEqual(seen[1].token, shop.old);
    // It is kept, and nothing was refreshed.
    assert.equal(await client.idToken(), seen[1].token);
    assert.equal(front.count("POST tokens"), 0);
    assert.equal(front.count("POST reauthenticate"), 1);
    front.requests = [];
    assert.equal((await client.fetch(SHOP)).status, 200);
    assert.equal(seen[2].token, seen[1].token);
  }
});

test("a script that may not read the field finds the challenge in the problem", async () => {
  for (const [members, asked] of [
    [{ maxAge: 300, acrValues: ["hwk+user", "swk"] }, ASKED],
    [{ maxAge: 0 }, { maxAge: 0, acrValues: [] }],
    [{ acrValues: ["mfa"] }, { acrValues: ["mfa"] }],
  ]) {
    const document = { status: 401, code: CODE, ...members };
    const shop = await atShop(answers(() => problem(document)));
    assert.equal((await shop.client.fetch(SHOP)).status, 200);
    assert.deepEqual(shop.asked, [asked]);
    assert.equal(shop.seen.length, 2);
  }
});

test("a challenge is read however it is spelled", async () => {
  for (const [field, asked] of [
    [`Bearer error="${CODE}"`, { acrValues: [] }],
    [`Bearer error=${CODE}, max_age=5`, { maxAge: 5, acrValues: [] }],
    [`bearer MAX_AGE = "0",ERROR = "${CODE}"`, { maxAge: 0, acrValues: [] }],
    [
      `Basic realm="shop, both", Bearer acr_values="a b  c", error="${CODE}"`,
      { acrValues: ["a", "b", "c"] },
    ],
    [
      `Bearer error="${CODE}", max_age="60", Basic realm="shop"`,
      { maxAge: 60, acrValues: [] },
    ],
    [`DPoP algs="ES256", error="${CODE}"`, { acrValues: [] }],
    [`Bearer error="${CODE}", max_age="-1"`, { acrValues: [] }],
    [`Bearer error="${CODE}", max_age="soon"`, { acrValues: [] }],
  ]) {
    const headers = { "www-authenticate": field };
    const shop = await atShop(answers(() => challenge(headers)));
    assert.equal((await shop.client.fetch(SHOP)).status, 200, field);
    assert.deepEqual(shop.asked, [asked], field);
  }
});

test("what is no challenge asks nobody", async () => {
  const document = { "content-type": "application/problem+json" };
  for (const answer of [
    expired,
    () => challenge({ "www-authenticate": "Bearer" }),
    () =>
      challenge({
        "www-authenticate": `Bearer error="invalid_token", error_description="no ${CODE}", x_error="${CODE}"`,
      }),
    () => problem({ code: "token_expired", detail: CODE }),
    () => problem(null),
    () => problem([CODE]),
    () => challenge(document, "no JSON"),
    () => challenge({}, JSON.stringify({ code: CODE })),
  ]) {
    const shop = await atShop(answers(answer));
    // As ever after a 401: another token, once.
    assert.equal((await shop.client.fetch(SHOP)).status, 200);
    assert.equal(shop.seen.length, 2);
    assert.deepEqual(shop.asked, []);
    assert.equal(front.count("POST tokens"), 1);
  }
  const forbidden = new Response("", {
    status: 403,
    headers: { "www-authenticate": CHALLENGE },
  });
  const shop = await atShop(answers(() => forbidden));
  assert.equal((await shop.client.fetch(SHOP)).status, 403);
  assert.deepEqual(shop.asked, []);
});

test("a client that can't ask gets the challenge", async () => {
  for (const answer of [challenge, () => problem({ code: CODE })]) {
    const shop = await atShop(answers(answer), null);
    const found = await shop.client.fetch(SHOP);
    assert.equal(found.status, 401);
    assert.equal(await found.text(), await answer().text());
    assert.equal(shop.seen.length, 1);
    assert.deepEqual(front.requests, []);
  }
});

test("if the user declines, the challenge is the answer", async () => {
  const shop = await atShop(
    () => challenge(),
    async () => {},
  );
  const found = await shop.client.fetch(SHOP);
  assert.equal(found.status, 401);
  assert.equal(await found.text(), "challenged");
  assert.equal(shop.seen.length, 1);
  // She is asked at the next request.
  assert.equal((await shop.client.fetch(SHOP)).status, 401);
  assert.equal(shop.asked.length, 2);
});

test("what fails while the user is asked fails the request", async () => {
  const wrong = { currentPassword: "wrong horse battery" };
  const shop = await atShop(
    () => challenge(),
    (client) => client.reauthenticate(wrong),
  );
  const error = await errorOf(shop.client.fetch(SHOP));
  assert.equal(error.code, "wrong_password");
  assert.equal(shop.seen.length, 1);
  assert.equal(await shop.client.idToken(), shop.old);
});

test("a request is challenged and sent once more, but not twice", async () => {
  const shop = await atShop(() => challenge());
  assert.equal((await shop.client.fetch(SHOP)).status, 401);
  assert.equal(shop.seen.length, 2);
  assert.equal(shop.asked.length, 1);
});

test("a token that has expired is refreshed before anybody is asked", async () => {
  const shop = await atShop(answers(expired, challenge));
  assert.equal((await shop.client.fetch(SHOP)).status, 200);
  assert.equal(shop.seen.length, 3);
  assert.equal(new Set(shop.seen.map(({ token }) => token)).size, 3);
  assert.deepEqual(shop.asked, [ASKED]);
  assert.equal(front.count("POST tokens"), 1);
});

test("a stream can't be sent twice: its challenge is the answer", async () => {
  const shop = await atShop(() => challenge());
  const body = new Blob(["stream"]).stream();
  const init = { method: "POST", body, duplex: "half" };
  assert.equal((await shop.client.fetch(SHOP, init)).status, 401);
  assert.deepEqual(shop.asked, []);
});

test("requests that are challenged at once ask once", async () => {
  let old;
  const shop = await atShop(({ token }) =>
    token === old ? challenge() : undefined,
  );
  old = shop.old;
  const fetches = Array.from({ length: 5 }, () => shop.client.fetch(SHOP));
  for (const answer of await Promise.all(fetches)) {
    assert.equal(answer.status, 200);
  }
  assert.equal(shop.asked.length, 1);
  assert.equal(shop.seen.length, 10);
});

test("a user who declines declines for all requests of the moment", async () => {
  let decline;
  const declined = new Promise((resolve) => (decline = resolve));
  const shop = await atShop(
    () => challenge(),
    () => declined,
  );
  const fetches = Array.from({ length: 5 }, () => shop.client.fetch(SHOP));
  while (shop.seen.length < 5) await new Promise(setImmediate);
  decline();
  for (const answer of await Promise.all(fetches)) {
    assert.equal(answer.status, 401);
    assert.equal(await answer.text(), "challenged");
  }
  assert.equal(shop.asked.length, 1);
});

test("a request whose challenge comes late finds that the user was asked", async () => {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  let old;
  const shop = await atShop(async ({ token, url }) => {
    if (token !== old) return undefined;
    if (url.endsWith("late")) await released;
    return challenge();
  });
  old = shop.old;
  const late = shop.client.fetch(`${SHOP}?late`);
  assert.equal((await shop.client.fetch(SHOP)).status, 200);
  release();
  assert.equal((await late).status, 200);
  assert.equal(shop.asked.length, 1);
});

test("who requires more than what others were asked for is asked for it", async () => {
  let old, good;
  const strong = () =>
    challenge({
      "www-authenticate": `Bearer error="${CODE}", acr_values="mfa"`,
    });
  const shop = await atShop(
    ({ token, url }) => {
      if (url.endsWith("strong")) return token === good ? undefined : strong();
      return token === old ? challenge() : undefined;
    },
    async (client) => {
      await shown(client);
      if (shop.asked.length === 2) good = await client.idToken();
    },
  );
  old = shop.old;
  const both = [SHOP, `${SHOP}?strong`].map((url) => shop.client.fetch(url));
  for (const answer of await Promise.all(both)) {
    assert.equal(answer.status, 200);
  }
  assert.deepEqual(shop.asked, [ASKED, { acrValues: ["mfa"] }]);
});

test("what was meant for one account is not sent for another one", async () => {
  const other = await signedUp(world);
  const shop = await atShop(answers(challenge), (client) =>
    client.signIn({ email: other.email, password: PASSWORD }),
  );
  const init = { method: "POST", body: "an order" };
  assert.equal((await shop.client.fetch(SHOP, init)).status, 401);
  assert.equal(shop.seen.length, 1);
});

test("nobody is asked who is not signed in", async () => {
  const shop = await atShop(() => challenge());
  await shop.client.signOut();
  assert.equal((await shop.client.fetch(SHOP)).status, 401);
  assert.deepEqual(shop.asked, []);
});

test("a reauthentication counts although the session is refreshed meanwhile", async () => {
  const shop = await atShop(answers(challenge));
  let reauthenticated;
  front.fail("POST reauthenticate", async (forward) => {
    const answer = await forward();
    reauthenticated = JSON.parse(answer.body).tokens.idToken;
    await shop.client.refresh();
    return answer;
  });
  assert.equal((await shop.client.fetch(SHOP)).status, 200);
  assert.equal(shop.seen[1].token, reauthenticated);
  assert.equal(front.count("POST tokens"), 1);
  // The refresh token is that of the refresh.
  assert.ok(await shop.client.refresh());
});
