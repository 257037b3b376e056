// What mails are for: a password that was forgotten, a sign-in without one, another address.

import assert from "node:assert/strict";
import { NEW, NEWEST, PASSWORD } from "./visitor.mjs";

const RECOVERY = "/account/recovery";

export const stories = {
  async "a forgotten password, by the link where it was asked for"({ visitor, world }) {
    const [old, ann] = [await visitor(), await visitor()];
    const email = await old.signUp();
    const mail = await forgets(ann, email);
    await reads(ann, mail, RECOVERY);
    assert.ok(!(await ann.asksFor("code")), "the browser that asked needs no code");
    await ann.send({ newPassword: "password1" });
    await ann.shows("easy to guess");
    await ann.showsNot("password1");
    await ann.send({ newPassword: NEW });
    await ann.shows("Your password is changed");
    await ann.follow("main a");
    await ann.shows(email);
    await isGone(old, email);
    await old.send({ email, password: PASSWORD });
    await old.shows("is wrong");
    await old.send({ password: NEW });
    old.isAt("/account/profile");
    // The link was good for once.
    await reads(ann, mail, RECOVERY);
    await ann.send({ newPassword: NEWEST });
    await ann.shows("This link is no longer valid");
    assert.equal((await world.account(email)).events.filter((event) => event === "account.recovered").length, 1);
  },

  async "a forgotten password, by the code in another browser"({ visitor }) {
    const [old, ann, phone] = [await visitor(), await visitor(), await visitor()];
    const email = await old.signUp();
    const mail = await forgets(ann, email);
    await reads(phone, mail, RECOVERY);
    // The link alone does nothing there.
    await phone.send({ newPassword: NEW });
    await phone.shows("the link alone is not enough");
    await phone.showsNot(NEW);
    await phone.send({ code: mail.code === "000000" ? "000001" : "000000", newPassword: NEW });
    await phone.shows("The code is wrong.");
    await old.isSignedIn(email);
    await phone.send({ code: mail.code, newPassword: NEW });
    await phone.shows("Your password is changed");
    await phone.isSignedIn(email);
    await isGone(old, email);
    // Where it was asked for, the page still waits for the code.
    await ann.send({ code: mail.code, newPassword: NEWEST });
    await ann.shows("This link is no longer valid");
    await ann.signIn(email, NEW);
  },

  async "a forgotten password, by the code where it was asked for"({ visitor }) {
    const [old, ann] = [await visitor(), await visitor()];
    const email = await old.signUp();
    const { code } = await forgets(ann, email);
    await ann.send({ code, newPassword: NEW });
    await ann.shows("Your password is changed");
    await ann.isSignedIn(email);
    await isGone(old, email);
  },

  async "a sign-in without a password"({ visitor, world }) {
    const [ann, phone] = [await visitor(), await visitor()];
    const email = await ann.signUp();
    await ann.confirm(email);
    await ann.isSignedIn(email);
    await ann.signOut();
    await ann.follow('a[href^="/account/signin/code"]');
    await ann.send({ email });
    const mail = await world.mail(email, "/account/signin/code");
    // Who reads along gets no session by the link.
    await reads(phone, mail, "/account/signin/code");
    await phone.send({});
    await phone.shows("the link alone is not enough");
    await phone.isSignedOut();
    await reads(ann, mail, "/account/signin/code");
    await ann.send({});
    ann.isAt("/account");
    await ann.shows(email);
  },

  async "another address, and back"({ visitor, world }) {
    const [ann, phone] = [await visitor(), await visitor()];
    const email = await ann.signUp();
    await ann.confirm(email);
    const other = email.replace("@", "-new@");
    await ann.open("/account/profile");
    await ann.send({ email: other, currentPassword: PASSWORD }, 'form[action="/account/profile/email"] button');
    await reads(ann, await world.mail(other, "/account/email/change"), "/account/email/change");
    await ann.send({});
    await ann.isSignedIn(other);
    // In a browser that nobody is signed in with, the mail to the former address is enough with its code.
    const undo = await world.mail(email, "/account/email/undo");
    await reads(phone, undo, "/account/email/undo");
    await phone.send({ code: undo.code, newPassword: NEW });
    await phone.shows("The account has its former address again");
    await phone.isSignedIn(email);
    await isGone(ann, email);
  },
};

/** Asks for a mail, from the sign-in page on, and gets it. */
async function forgets(visitor, email) {
  await visitor.open("/account/signin");
  await visitor.follow('a[href^="/account/recovery"]');
  await visitor.send({ email });
  await visitor.shows("a mail with a code is under way");
  return visitor.world.mail(email, RECOVERY);
}

/** Opens a mail in a mail program of another site, and its link from there. */
async function reads(visitor, { html }, path) {
  const { elsewhere, site } = visitor.world.strangers;
  const mail = `/mail/${site.exchanges.length}`;
  site.files[mail] = { type: "text/html; charset=utf-8", body: html };
  await visitor.open(`${elsewhere}${mail}`);
  await visitor.follow(`a[href*="${path}"]`);
  visitor.isAt(path);
}

/** The session that there was before is over, and the page says so. */
async function isGone(visitor, email) {
  await visitor.open("/account/profile");
  visitor.isAt("/account/signin");
  await visitor.shows("You were signed out on this device");
  await visitor.showsNot(email);
}
