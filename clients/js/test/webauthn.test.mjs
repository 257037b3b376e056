// Passkeys in a real browser.

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
  signUpIn,
  tab,
  told,
  userOf,
} from "./support/browser.mjs";
import { virtualKey } from "./support/key.mjs";
import { address, open, PASSWORD } from "./support/world.mjs";

const BEGIN = "POST signin/passkey/options";

/** What browsers lacked until 2025, and extensions lack: run before anything else. */
const WITHOUT_JSON = () => {
  delete PublicKeyCredential.parseCreationOptionsFromJSON;
  delete PublicKeyCredential.parseRequestOptionsFromJSON;
  delete PublicKeyCredential.prototype.toJSON;
};

const signOut = (page) => page.evaluate(() => globalThis.client.signOut());

/** Does something with a passkey in a tab; the name or the code of what went wrong, if something did. */
const attempt = (page, work, input) =>
  page.evaluate(
    async ([source, input]) => {
      try {
        await eval(source)(globalThis.factors, input);
        return undefined;
      } catch (error) {
        return error.code || error.name;
      }
    },
    [`(${work})`, input],
  );

const signUp = (page, email) =>
  attempt(page, ({ passkeys }, email) => passkeys.signUp({ email }), email);

const signIn = (page) => attempt(page, ({ passkeys }) => passkeys.signIn());

describe("in Chromium", NEEDS_CHROMIUM, () => {
  let world, front, browser, context;
  before(async () => {
    const settings = { ACCOUNTS__VERIFICATION: "off" };
    world = await open(settings, "localhost");
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

  /** A tab with a virtual authenticator. */
  async function tabWithKey(options = { tokens: "cookie" }, at = front) {
    const page = await tab(context, at, options, front);
    return { page, key: await virtualKey(page) };
  }

  for (const [kind, tokens, ...missing] of [
    ["in a cookie", "cookie"],
    ["in IndexedDB", "storage"],
    ["in memory, without JSON helpers", "memory", WITHOUT_JSON],
  ]) {
    test(`signed up and in with a passkey, and still the user: ${kind}`, async () => {
      for (const script of missing) await context.addInitScript(script);
      const { page, key } = await tabWithKey({ tokens });
      const email = address();
      assert.equal(await signUp(page, email), undefined);
      assert.equal(await key.count(), 1);
      assert.equal(await userOf(page), email);
      const work = ({ passkeys }) => passkeys.reauthenticate();
      assert.equal(await attempt(page, work), undefined);
      await signOut(page);
      assert.equal(await signIn(page), undefined);
      assert.equal(await userOf(page), email);
      const remove = async ({ passkeys, list }) => {
        await passkeys.reauthenticate();
        const [{ id }] = (await list()).passkeys;
        await passkeys.remove(id);
      };
      assert.equal(await attempt(page, remove), "last_factor");
    });
  }

  test("a page of another origin has passkeys of the service's domain", async () => {
    const { page } = await tabWithKey({ tokens: "storage" }, world.page);
    const email = address();
    assert.equal(await signUp(page, email), undefined);
    await signOut(page);
    assert.equal(await signIn(page), undefined);
    assert.equal(await userOf(page), email);
  });

  test("a passkey is the second step, and all tabs are told", async () => {
    const { page } = await tabWithKey();
    const email = address();
    await signUpIn(page, email, PASSWORD);
    const add = async ({ passkeys }, currentPassword) => {
      await globalThis.client.reauthenticate({ currentPassword });
      await passkeys.add();
    };
    assert.equal(await attempt(page, add, PASSWORD), undefined);
    await signOut(page);
    const other = await tab(context, front, { tokens: "cookie" });
    const both = async ({ passkeys, challengeOf }, input) => {
      const error = await globalThis.client.signIn(input).catch((e) => e);
      await passkeys.signInFactor(challengeOf(error));
    };
    const input = { email, password: PASSWORD };
    assert.equal(await attempt(page, both, input), undefined);
    await told(other, "signed-in");
    assert.equal(await userOf(other), email);
  });

  test("a passkey that is chosen where the form is filled in signs in", async () => {
    const { page } = await tabWithKey();
    const email = address();
    await signUp(page, email);
    await signOut(page);
    const canAutofill = () =>
      import("/factors.js").then(({ passkeys }) => passkeys.canAutofill());
    assert.equal(await page.evaluate(canAutofill), true);
    const autofill = ({ passkeys }) => passkeys.signIn({ autofill: true });
    assert.equal(await attempt(page, autofill), undefined);
    assert.equal(await userOf(page), email);
  });

  /** A tab in which a form waits for somebody's passkey to be chosen; `outcome` is what becomes of it. */
  async function tabWithForm() {
    const { page, key } = await tabWithKey();
    const email = address();
    await signUp(page, email);
    await signOut(page);
    await key.touches(false);
    await page.evaluate(async () => {
      const { credentials } = navigator;
      const { get } = credentials;
      const asked = new Promise((resolve) => {
        credentials.get = function (options) {
          resolve();
          return get.call(this, options);
        };
      });
      const end = new AbortController();
      globalThis.abort = () => end.abort();
      globalThis.outcome = globalThis.factors.passkeys
        .signIn({ autofill: true, signal: end.signal })
        .catch(({ name }) => name);
      await asked;
    });
    return { page, key, email };
  }

  const outcome = (page) => page.evaluate(() => globalThis.outcome);

  test("autofill waits with a new challenge before one is over, until it is aborted", async () => {
    const short = async (forward) => {
      const { status, headers, body } = await forward();
      const changed = { ...JSON.parse(body), expiresIn: 0.25 };
      delete headers["content-length"];
      return { status, headers, body: JSON.stringify(changed) };
    };
    front.fail(BEGIN, short, 2);
    const third = front.hold(BEGIN);
    const { page } = await tabWithForm();
    await third.held;
    third.release();
    await page.evaluate(() => globalThis.abort());
    assert.equal(await outcome(page), "AbortError");
    assert.equal(front.count(BEGIN), 3);
    assert.equal(front.count("POST signin/passkey"), 0);
  });

  test("another ceremony takes the place of autofill", async () => {
    const { page, key, email } = await tabWithForm();
    await key.touches(true);
    assert.equal(await signIn(page), undefined);
    assert.equal(await outcome(page), "AbortError");
    assert.equal(await userOf(page), email);
  });

  test("without the user's finger there is no session", async () => {
    const { page, key } = await tabWithKey();
    await signUp(page, address());
    await signOut(page);
    await key.verifies(false);
    assert.equal(await signIn(page), "NotAllowedError");
    await key.verifies(true);
    await key.clear();
    assert.equal(await signIn(page), "NotAllowedError");
    assert.equal(await userOf(page), null);
  });

  test("a sign-up whose mailbox has to be proved answers the codes with the session", async () => {
    const strict = await open(
      { ACCOUNTS__VERIFICATION: "required" },
      "localhost",
    );
    try {
      const page = await tab(context, strict.front, { tokens: "cookie" });
      await virtualKey(page);
      const email = address();
      const proof = await page.evaluate(async (email) => {
        const { passkeys } = globalThis.factors;
        const { session, proof } = await passkeys.signUp({ email });
        return session ? undefined : proof.id;
      }, email);
      const { code } = await strict.service.mail("sign_up", email);
      const confirmed = await page.evaluate(
        (input) => globalThis.factors.passkeys.confirmSignUp(input),
        { proof, code },
      );
      assert.equal(confirmed.recoveryCodes.length, 10);
      assert.ok(confirmed.session.id);
      assert.equal(await userOf(page), email);
    } finally {
      await strict.close();
    }
  });
});
