// Browsers that forbid what a client would like to use, and pages that get in its way.

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
const EXPIRED = 15 * 60_000;

describe("in Chromium", NEEDS_CHROMIUM, () => {
  let world, front, browser, context, problems;
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
    problems = [];
    context.on("weberror", (error) => problems.push(error.error().message));
    front.heal();
    front.requests = [];
  });
  afterEach(async () => {
    await context.close();
    assert.deepEqual(problems, []);
  });

  test("where storage is forbidden, whatever it is, a tab goes on in memory", async () => {
    await context.addInitScript(() => {
      const forbidden = () => {
        throw new DOMException("forbidden", "SecurityError");
      };
      IDBFactory.prototype.open = forbidden;
      // There are none on pages that are not secure.
      const locks = globalThis.LockManager;
      if (locks) locks.prototype.request = forbidden;
      globalThis.BroadcastChannel = class {
        constructor() {
          forbidden();
        }
      };
      Object.defineProperty(globalThis, "localStorage", { get: forbidden });
    });
    for (const tokens of ["cookie", "storage"]) {
      const page = await tab(context, front, { tokens });
      const email = address();
      await signUpIn(page, email, PASSWORD);
      await putForward(page, EXPIRED);
      assert.equal(await userOf(page), email);
      await page.evaluate(() => globalThis.client.signOut());
      await told(page, "signed-out sign_out");
    }
  });

  test("a lock that is stolen breaks no refresh", async () => {
    const page = await tab(context, front, { tokens: "storage" });
    await signUpIn(page, address(), PASSWORD);
    const answer = front.hold(REFRESH);
    const refreshed = page.evaluate(() =>
      globalThis.client.refresh().then(
        (session) => typeof session?.id,
        (error) => `${error}`,
      ),
    );
    await answer.held;
    await page.evaluate(async () => {
      const { held } = await navigator.locks.query();
      for (const { name } of held) {
        await navigator.locks.request(name, { steal: true }, () => {});
      }
    });
    answer.release();
    assert.equal(await refreshed, "string");
  });

  test("a request with a body is sent once more, whole", async () => {
    const page = await tab(context, front, { tokens: "cookie" });
    await signUpIn(page, address(), PASSWORD);
    const expired = {
      status: 401,
      headers: { "content-type": "application/problem+json" },
      body: JSON.stringify({ code: "token_expired", detail: "It expired." }),
    };
    const send = async (isRequest) => {
      const init = {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "Ann" }),
      };
      const url = "/api/account/details";
      const { fetch } = globalThis.client;
      const answer = await (isRequest
        ? fetch(new Request(url, init))
        : fetch(url, init));
      return (await answer.json()).user.name;
    };
    for (const isRequest of [false, true]) {
      front.fail("PUT details", expired);
      assert.equal(await page.evaluate(send, isRequest), "Ann");
    }
    assert.equal(front.count("PUT details"), 4);
  });

  test("a path is that of the page's base, as for the global fetch", async () => {
    const page = await tab(context, front, { tokens: "cookie" });
    await signUpIn(page, address(), PASSWORD);
    front.requests = [];
    const status = await page.evaluate(async () => {
      const base = document.createElement("base");
      base.href = "/api/account/";
      document.head.append(base);
      return (await globalThis.client.fetch("me")).status;
    });
    assert.equal(status, 200);
    assert.equal(front.count("GET me"), 1);
  });

  test("an account that came by the service's own pages gets nothing of the former", async () => {
    const page = await tab(context, front, { tokens: "cookie" });
    await signUpIn(page, address(), PASSWORD);
    const bob = { email: address(), password: PASSWORD };
    // As its pages do: without this client.
    await page.evaluate(async (bob) => {
      const send = (operation, body) =>
        fetch(`/api/account/${operation}`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "revolve-tokens": "cookie",
          },
          body: JSON.stringify(body),
        });
      await send("signout", {});
      await send("signup", bob);
    }, bob);
    const rename = () =>
      globalThis.client.updateUser({ name: "Ann" }).catch(({ code }) => code);
    assert.equal(await page.evaluate(rename), "account_changed");
    const user = await page.evaluate(() => globalThis.client.user());
    assert.deepEqual([user.email, user.name], [bob.email, null]);
    assert.deepEqual(await page.evaluate(() => globalThis.events), [
      "signed-in",
      "signed-in",
    ]);
  });
});
