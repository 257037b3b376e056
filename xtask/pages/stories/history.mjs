// The back button, in a browser that keeps pages for it.

import assert from "node:assert/strict";
import { PASSWORD } from "./visitor.mjs";

export const stories = {
  async "back after signing in leads to the account, and sends nothing again"({ visitor }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.signOut();
    await ann.open("/account/profile");
    const posts = posted(ann, "/account/signin");
    await ann.send({ email, password: PASSWORD });
    ann.isAt("/account/profile");
    await ann.back();
    ann.isAt("/account/profile");
    await ann.showsNot(PASSWORD);
    await ann.page.reload();
    ann.isAt("/account/profile");
    assert.equal(posts(), 1);
  },

  async "back after signing out shows nothing of the account"({ visitor }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.open("/account/profile");
    await ann.send({ name: "Ann of the cache" });
    await ann.open("/account/devices");
    await ann.signOut();
    // As far as to the page that the sign-up has led to, which is another one to browsers: its own answer has set the cookies.
    for (const button of ["back", "back", "back", "back", "forward", "forward"]) {
      await ann[button]();
      ann.isAt("/account/signin");
      await ann.shows("Forgot your password?");
      await ann.showsNot(email);
      await ann.showsNot("Ann of the cache");
    }
  },

  async "back after the session was ended elsewhere shows nothing of the account"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.follow('main a[href="/account/profile"]');
    await world.signOut(email);
    await ann.follow('nav a[href="/account/devices"]');
    for (let times = 0; times < 2; times += 1) {
      ann.isAt("/account/signin");
      await ann.shows("Forgot your password?");
      await ann.showsNot(email);
      await ann.back();
    }
  },

  async "back from elsewhere, after another tab has signed out"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.open("/account/profile");
    await ann.open(`${world.strangers.elsewhere}/`);
    const tab = await ann.tab();
    await tab.open("/account");
    await tab.signOut();
    for (let times = 0; times < 2; times += 1) {
      await ann.back();
      ann.isAt("/account/signin");
      await ann.showsNot(email);
    }
  },

  async "back from what a form has led to shows the form, and sends nothing again"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.open("/account/profile");
    const posts = posted(ann, "/account/profile");
    await ann.send({ name: "Ann" });
    await ann.shows("Your profile is saved.");
    await ann.back();
    ann.isAt("/account/profile");
    assert.equal(await ann.typed("name"), "Ann");
    await ann.forward();
    await ann.shows("Your profile is saved.");
    await ann.page.reload();
    await ann.shows("Your profile is saved.");
    assert.equal(posts(), 1);
    const { events } = await world.account(email);
    assert.equal(events.filter((event) => event === "account.changed").length, 1);
  },
};

/** Counts what the browser sends to a page from now on. */
function posted({ context, world }, path) {
  let count = 0;
  context.on("request", (request) => {
    if (request.method() === "POST" && request.url() === `${world.url}${path}`) {
      count += 1;
    }
  });
  return () => count;
}
