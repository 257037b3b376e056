// Front ends of one site, with the client in cookie mode: one at the service's own origin, which shares the session of its pages, and two of
// other origins, which have sessions of their own (docs/browsers.md).

import assert from "node:assert/strict";
import { PASSWORD } from "./visitor.mjs";

export const stories = {
  async "the front end of the service's origin and its pages are one"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    const front = await frontEnd(ann, world.fronts.own, world.url);
    assert.equal(await front.user(), email, "signed in on the page, signed in there");
    await front.signOut();
    await ann.isSignedOut();
    await front.signIn(email);
    await ann.isSignedIn(email);
    await ann.signOut();
    // Nothing of the service is asked without need: the ID token that it has is good for a while elsewhere.
    await front.refresh();
    assert.deepEqual(await front.told(), ["signed-in", "signed-out sign_out", "signed-in", "signed-out cookie_missing"]);
    assert.equal(await front.user(), null);
    assert.equal((await world.account(email)).sessions.length, 0);
  },

  async "two front ends of one site have a session each"({ visitor, world }) {
    const [ann, bob] = [await visitor(), await visitor()];
    const [email, other] = [await ann.signUp(), await bob.signUp()];
    await ann.signOut();
    const app = await frontEnd(ann, `${world.fronts.app}/`, world.url);
    const shop = await frontEnd(ann, `${world.fronts.shop}/`, world.url);
    await app.signIn(email);
    assert.equal(await shop.user(), null);
    await ann.isSignedOut();
    await shop.signIn(other);
    await app.reload();
    assert.deepEqual([await app.user(), await shop.user()], [email, other]);
    await app.refresh();
    await shop.signOut();
    assert.deepEqual([await app.user(), await shop.user()], [email, null]);
    // Of one account, each can be seen and ended from the others.
    await shop.signIn(email);
    await ann.signIn(email);
    await ann.open("/account/devices");
    assert.equal(await ann.page.locator("li.device").count(), 3);
    await app.signOut("everywhere");
    assert.equal(await shop.user(), null);
    assert.equal((await shop.told()).at(-1), "signed-out session_revoked");
    await ann.isSignedOut();
  },

  async "a front end sends somebody to sign in, who comes back"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.signOut();
    const back = `${world.fronts.app}/?a=b`;
    await ann.open(`/account/signin?return_to=${encodeURIComponent(back)}`);
    await ann.send({ email, password: PASSWORD });
    assert.equal(ann.page.url(), back, "without a token in it");
    await ann.open(`/account/signin?return_to=${encodeURIComponent(`${world.strangers.sibling}/`)}`);
    ann.isAt("/account");
  },
};

/** A tab of that browser with a front end and its client. */
export async function frontEnd({ context }, url, service) {
  const page = await context.newPage();
  const load = async () => {
    await page.goto(url);
    await page.evaluate(
      async ({ script, service }) => {
        const { createClient } = await import(script);
        globalThis.client = createClient({ url: service, tokens: "cookie", patience: 0 });
        globalThis.events = [];
        for (const event of ["signed-in", "signed-out"]) {
          globalThis.client.on(event, (why) => globalThis.events.push(event === "signed-out" ? `${event} ${why}` : event));
        }
      },
      { script: new URL("client.js", url).href, service },
    );
  };
  await load();
  return {
    page,
    reload: load,
    user: () => page.evaluate(async () => (await globalThis.client.user())?.email ?? null),
    told: () => page.evaluate(() => globalThis.events),
    signIn: (email) => page.evaluate((input) => globalThis.client.signIn(input).then(() => {}), { email, password: PASSWORD }),
    signOut: (scope = "this") => page.evaluate((scope) => globalThis.client.signOut({ scope }), scope),
    refresh: () => page.evaluate(() => globalThis.client.refresh().then(() => {})),
  };
}
