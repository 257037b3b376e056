import assert from "node:assert/strict";
import {
  after,
  afterEach,
  before,
  beforeEach,
  describe,
  test,
} from "node:test";
import {
  launch,
  NEEDS_CHROMIUM,
  putForward,
  signUpIn,
  tab,
  told,
  userOf,
} from "./support/browser.mjs";
import { address, open, PASSWORD } from "./support/world.mjs";

const REFRESH = "POST tokens";
const TABS = 20;
const EXPIRED = 15 * 60_000;
const DAY = 24 * 60 * 60_000;

/** What a tab is without: run in it before anything else. */
const WITHOUT_LOCKS = () => {
  Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
};
const WITHOUT_CHANNELS = () => {
  delete globalThis.BroadcastChannel;
};

describe("in Chromium", NEEDS_CHROMIUM, () => {
  let world, front, browser, context;
  before(async () => {
    world = await open({ ACCOUNTS__VERIFICATION: "off" });
    front = world.front;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await world?.close();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    front.heal();
    front.requests = [];
  });
  afterEach(() => context.close());

  /** Tabs of which the first has signed somebody up. */
  async function tabs(count, options) {
    const pages = [];
    for (let page = 0; page < count; page++) {
      pages.push(await tab(context, front, options));
    }
    const email = address();
    await signUpIn(pages[0], email, PASSWORD);
    return { pages, email };
  }

  for (const [kind, tokens, ...missing] of [
    ["in a cookie", "cookie"],
    ["in IndexedDB", "storage"],
    ["in a cookie, without Web Locks", "cookie", WITHOUT_LOCKS],
    [
      "in IndexedDB, without Web Locks and channels",
      "storage",
      WITHOUT_LOCKS,
      WITHOUT_CHANNELS,
    ],
  ]) {
    test(`${TABS} tabs share one refresh and all stay signed in: ${kind}`, async () => {
      for (const script of missing) await context.addInitScript(script);
      const { pages, email } = await tabs(TABS, { tokens });
      await Promise.all(pages.map((page) => told(page, "signed-in")));
      front.requests = [];
      const users = await Promise.all(
        pages.map((page) =>
          page.evaluate(async (expired) => {
            globalThis.shift = expired;
            return (await globalThis.client.user()).email;
          }, EXPIRED),
        ),
      );
      assert.deepEqual(users, Array(TABS).fill(email));
      assert.equal(front.count(REFRESH), 1);
      await Promise.all(pages.map((page) => told(page, "refreshed")));

      await pages[1].evaluate(() => globalThis.client.signOut());
      await Promise.all(pages.map((page) => told(page, "signed-out sign_out")));
      assert.equal(await userOf(pages[2]), null);
    });
  }

  for (const tokens of ["cookie", "storage"]) {
    test(`a tab that is loaded again is signed in as before: ${tokens}`, async () => {
      const { pages, email } = await tabs(1, { tokens });
      await pages[0].close();
      front.requests = [];
      const page = await tab(context, front, { tokens });
      assert.equal(await userOf(page), email);
      assert.equal(front.count(REFRESH), 0);
    });

    test(`a tab is killed between the answer and keeping it: ${tokens}`, async () => {
      const { pages, email } = await tabs(2, { tokens });
      const [killed, other] = pages;
      await killed.evaluate((expired) => {
        globalThis.shift = expired;
        const { text } = Response.prototype;
        Response.prototype.text = async function () {
          await text.call(this);
          globalThis.answered = true;
          return new Promise(() => {});
        };
        globalThis.client.user();
      }, EXPIRED);
      await killed.waitForFunction(() => globalThis.answered);
      const debuggee = await context.newCDPSession(killed);
      const crashed = killed.waitForEvent("crash");
      debuggee.send("Page.crash").catch(() => {});
      await crashed;
      await putForward(other, EXPIRED);
      assert.equal(await userOf(other), email);
      assert.equal(front.count(REFRESH), 2);
      // Nobody was taken for a thief.
      assert.notEqual(
        await other.evaluate(() => globalThis.client.refresh()),
        null,
      );
    });

    test(`a tab that slept for days goes on: ${tokens}`, async () => {
      const { pages, email } = await tabs(2, { tokens });
      const [asleep, awake] = pages;
      const debuggee = await context.newCDPSession(asleep);
      const become = (state) =>
        debuggee.send("Page.setWebLifecycleState", { state });
      await become("frozen");
      for (let day = 1; day <= 4; day++) {
        await awake.evaluate(async (shift) => {
          globalThis.shift = shift;
          await globalThis.client.idToken();
        }, day * DAY);
      }
      assert.equal(front.count(REFRESH), 4);
      await become("active");
      for (const page of pages) await putForward(page, 4 * DAY + EXPIRED);
      assert.equal(await userOf(asleep), email);
      assert.equal(await userOf(awake), email);
      assert.equal(front.count(REFRESH), 5);
    });

    test(`offline and back: ${tokens}`, async () => {
      const { pages, email } = await tabs(1, { tokens });
      const [page] = pages;
      await context.setOffline(true);
      const code = await page.evaluate(async (expired) => {
        globalThis.shift = expired;
        return globalThis.client.user().catch((error) => error.code);
      }, EXPIRED);
      assert.equal(code, "no_answer");
      await context.setOffline(false);
      assert.equal(await userOf(page), email);
      const events = await page.evaluate(() => globalThis.events);
      assert.deepEqual(events, ["signed-in", "refreshed"]);

      // With patience nobody notices.
      const patient = await tab(context, front, { tokens, patience: 15_000 });
      await putForward(patient, 2 * EXPIRED);
      await context.setOffline(true);
      const failed = patient.waitForEvent("requestfailed");
      const user = userOf(patient);
      await failed;
      await context.setOffline(false);
      assert.equal(await user, email);
    });

    test(`a worker and a tab have one session: ${tokens}`, async () => {
      const { pages, email } = await tabs(1, { tokens });
      const [page] = pages;
      front.requests = [];
      const user = await page.evaluate(
        async (options) => {
          const source = `
          import { createClient } from ${JSON.stringify(`${location.origin}/client.js`)};
          onmessage = async ({ data: { expired, ...options } }) => {
            const now = () => Date.now() + expired;
            const client = createClient({ ...options, now });
            postMessage((await client.user()).email);
          };`;
          const url = URL.createObjectURL(
            new Blob([source], { type: "text/javascript" }),
          );
          const worker = new Worker(url, { type: "module" });
          globalThis.shift = options.expired;
          const answer = new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = reject;
          });
          worker.postMessage(options);
          return Promise.all([
            answer,
            globalThis.client.user().then(({ email }) => email),
          ]);
        },
        { tokens, url: front.url, expired: EXPIRED },
      );
      assert.deepEqual(user, [email, email]);
      assert.equal(front.count(REFRESH), 1);
    });

    test(`a page of another origin, by CORS, with a wrong clock: ${tokens}`, async () => {
      const options = { tokens };
      const page = await tab(context, world.page, options, front);
      const email = address();
      await putForward(page, DAY);
      await signUpIn(page, email, PASSWORD);
      assert.equal(await userOf(page), email);
      assert.equal(await userOf(page), email);
      // The service's `Date` can be read: the new token is not taken for an old one.
      assert.equal(front.count(REFRESH), 0);
      await putForward(page, DAY + EXPIRED);
      assert.equal(await userOf(page), email);
      assert.equal(front.count(REFRESH), 1);
    });
  }

  test("no script can read a refresh token in cookie mode", async () => {
    const { pages } = await tabs(1, { tokens: "cookie" });
    const [page] = pages;
    await page.evaluate(() => globalThis.client.refresh());
    const kept = await page.evaluate(async () => {
      const [{ name }] = await indexedDB.databases();
      const request = indexedDB.open(name);
      await new Promise((resolve) => (request.onsuccess = resolve));
      const table = request.result
        .transaction("clients")
        .objectStore("clients")
        .getAll();
      await new Promise((resolve) => (table.onsuccess = resolve));
      return JSON.stringify([
        table.result,
        document.cookie,
        { ...localStorage },
      ]);
    });
    const cookies = await context.cookies(front.url);
    const { value } = cookies.find(({ name }) => name.includes("refresh"));
    assert.match(value, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.ok(!kept.includes(value), kept);
    assert.match(kept, /idToken/);
  });

  test("in memory a session is that of its tab, and of its device", async () => {
    const { pages, email } = await tabs(2, { tokens: "memory" });
    const [page, other] = pages;
    assert.notEqual(
      await page.evaluate(() => globalThis.client.refresh()),
      null,
    );
    const [session] = await page.evaluate(() =>
      globalThis.client.sessions.list(),
    );
    // The browser shows the device by its cookie.
    assert.equal(session.device.bound, true);
    assert.equal(await userOf(page), email);
    assert.equal(await userOf(other), null);
    const databases = await page.evaluate(() => indexedDB.databases());
    assert.deepEqual(databases, []);
  });

  test("a tab that holds the lock and does not answer stops nobody", async () => {
    await context.addInitScript(() => {
      const { timeout } = AbortSignal;
      AbortSignal.timeout = () => timeout.call(AbortSignal, 500);
    });
    const { pages, email } = await tabs(2, { tokens: "storage" });
    const answer = front.hold(REFRESH);
    for (const page of pages) await putForward(page, EXPIRED);
    const stuck = userOf(pages[0]);
    await answer.held;
    assert.equal(await userOf(pages[1]), email);
    answer.release();
    assert.equal(await stuck, email);
    const sent = front.requests.filter(({ call }) => call === REFRESH);
    assert.equal(sent.length, 2);
    assert.equal(sent[0].body, sent[1].body);
  });

  test("a sign-in of the same browser that comes in between is found", async () => {
    const { pages, email } = await tabs(1, { tokens: "cookie" });
    const [page] = pages;
    await putForward(page, EXPIRED);
    const signIn = (input) =>
      fetch("/api/account/signin", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "revolve-tokens": "cookie",
        },
        body: JSON.stringify(input),
      });
    front.fail(REFRESH, async (forward) => {
      await page.evaluate(signIn, { email, password: PASSWORD });
      return forward();
    });
    assert.equal(await userOf(page), email);
    assert.equal(front.count(REFRESH), 2);
    const events = await page.evaluate(() => globalThis.events);
    assert.deepEqual(events, ["signed-in", "signed-in"]);
  });

  test("a session that another tab's sign-in replaced is not missed", async () => {
    const { pages } = await tabs(2, { tokens: "cookie" });
    const email = address();
    await signUpIn(pages[1], email, PASSWORD);
    assert.equal(await userOf(pages[0]), email);
  });

  test("where IndexedDB is forbidden a tab goes on in memory", async () => {
    await context.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("forbidden", "SecurityError");
      };
    });
    for (const tokens of ["cookie", "storage"]) {
      const page = await tab(context, front, { tokens });
      const email = address();
      await signUpIn(page, email, PASSWORD);
      await putForward(page, EXPIRED);
      assert.equal(await userOf(page), email);
    }
  });
});
