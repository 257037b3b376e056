// Sessions that end while a page is open.

import assert from "node:assert/strict";
import { NEW, PASSWORD } from "./visitor.mjs";

const ENDED = "You were signed out on this device, here or on another one. Sign in to go on; nothing was changed.";
/** Where the form may have been sent before, and have ended the session itself. */
const BY_FORM = "You were signed out on this device, by this form or before. Sign in to see which devices are still signed in.";

/** The forms of an account: their page, what is typed, the button, and the page that a sign-in leads back to. */
const FORMS = [
  ["/account/profile", { name: "Eve" }, 'form[action="/account/profile"] button', "/account/profile"],
  [
    "/account/profile",
    { email: "eve@example.org", currentPassword: PASSWORD },
    'form[action="/account/profile/email"] button',
    "/account/profile",
  ],
  ["/account/password", { currentPassword: PASSWORD, newPassword: NEW }, "main form button", "/account/password"],
  ["/account/devices", {}, 'button[value="others"]', "/account/devices"],
  ["/account/export", { currentPassword: PASSWORD }, "main form button", "/account/export"],
  ["/account/delete", { currentPassword: PASSWORD }, "main form button", "/account/delete"],
  ["/account", {}, "main form button", "/account"],
];

export const stories = {
  async "a session ends in the middle of each form"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    const before = (await world.account(email)).user;
    for (const [path, typed, button, back] of FORMS) {
      await ann.open(path);
      await ann.fill(typed);
      await world.signOut(email);
      await ann.follow(button);
      ann.isAt("/account/signin");
      await ann.shows(path === "/account/devices" ? BY_FORM : ENDED);
      for (const secret of [PASSWORD, NEW]) {
        await ann.showsNot(secret);
      }
      const { refresh, id } = await ann.cookies();
      assert.deepEqual([refresh, id], [undefined, undefined], "the tokens are gone");
      await ann.send({ email, password: PASSWORD });
      ann.isAt(back);
      await ann.shows(path === "/account" ? email : "Sign out");
    }
    const { user, events } = await world.account(email);
    assert.deepEqual(user, before);
    const known = ["account.created", "verification.requested", "session.begun", "session.bound", "sessions.ended"];
    assert.deepEqual(events.filter((event) => !known.includes(event)), []);
  },

  async "a session is ended on another device while pages of it are open"({ visitor, world }) {
    const [laptop, phone] = [await visitor(), await visitor()];
    const email = await laptop.signUp();
    await phone.signIn(email);
    const [list, out, quiet] = [await phone.tab(), await phone.tab(), await phone.tab()];
    await phone.open("/account/profile");
    await phone.fill({ name: "Eve" });
    for (const tab of [list, out, quiet]) {
      await tab.open("/account/devices");
    }
    await laptop.open("/account/devices");
    const other = laptop.page.locator("li.device", { hasNotText: "This device" }).locator("button");
    await Promise.all([laptop.page.waitForNavigation(), other.click()]);
    await laptop.shows("The device is signed out.");
    // The first tab that finds it out says why; to the others nobody is signed in any more.
    await phone.follow('form[action="/account/profile"] button');
    phone.isAt("/account/signin");
    await phone.shows(ENDED);
    await list.follow("li.device button");
    list.isAt("/account/signin");
    await out.signOut();
    await quiet.follow('nav a[href="/account/activity"]');
    quiet.isAt("/account/signin");
    await quiet.send({ email, password: PASSWORD });
    quiet.isAt("/account/activity");
    await laptop.isSignedIn(email);
    assert.equal((await world.account(email)).user.name, null);
  },

  async "signing out in one tab is for all tabs of the browser"({ visitor }) {
    const ann = await visitor();
    const email = await ann.signUp();
    const [form, delay] = [await ann.tab(), await ann.tab()];
    await form.open("/account/password");
    await delay.open("/account/devices");
    await ann.signOut();
    await form.send({ currentPassword: PASSWORD, newPassword: NEW });
    form.isAt("/account/signin");
    await form.showsNot(PASSWORD);
    // Whoever signs in now goes on where they were, in each tab.
    await form.send({ email, password: PASSWORD });
    form.isAt("/account/password");
    await delay.follow('button[value="others"]');
    await delay.shows("The device is signed out.");
  },
};

/** In a service whose tokens live for moments. */
export const brief = {
  async "a session expires while a form is open"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.open("/account/profile");
    await ann.fill({ name: "Eve" });
    await isPast((await ann.cookies()).refresh);
    await ann.follow('form[action="/account/profile"] button');
    ann.isAt("/account/signin");
    // The browser keeps the token no longer than it counts.
    await ann.shows("You are not signed in any more. Sign in to go on; this form has changed nothing now.");
    await ann.send({ email, password: PASSWORD });
    ann.isAt("/account/profile");
    // The ID token alone has expired: nobody notices.
    await ann.fill({ name: "Ann" });
    await isPast((await ann.cookies()).id);
    await ann.follow('form[action="/account/profile"] button');
    await ann.shows("Your profile is saved.");
    assert.equal((await world.account(email)).user.name, "Ann");
  },
};

/** Waits until a token has expired. */
function isPast(token) {
  const { exp } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  return new Promise((past) => setTimeout(past, Math.max(0, (exp + 1) * 1000 - Date.now())));
}
