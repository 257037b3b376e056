// Forms that are sent twice: by two clicks, the second of which comes before the first is answered, and by the same request once more.

import assert from "node:assert/strict";
import { NEW, NEWEST, PASSWORD, address } from "./visitor.mjs";

/** What a click reads where the other one has used up what a mail had; the answer to that, and its session, the browser may not have got. */
const DONE = "If you have just clicked twice, the first click has done it";

export const stories = {
  async "sign-up, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = address();
    await ann.open("/account/signup");
    const sent = await twice(ann, { email, password: PASSWORD });
    ann.isAt("/account");
    await ann.shows(email);
    await again(ann, sent);
    await told(world, email, { "account.created": 1 });
    await ann.isSignedIn(email);
  },

  async "sign-in and sign-out, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await again(ann, await twice(ann, {}, "header button"));
    await ann.shows("You are signed out.");
    await told(world, email, { "session.signed_out": 1 });
    await again(ann, await twice(ann, { email, password: PASSWORD }));
    await ann.isSignedIn(email);
    assert.equal((await world.account(email)).sessions.length, 1, "the device is known, so there is one session");
  },

  async "the profile, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.open("/account/profile");
    await again(ann, await twice(ann, { name: "Ann" }, 'form[action="/account/profile"] button'));
    await ann.shows("Your profile is saved.");
    assert.equal((await world.account(email)).user.name, "Ann");
  },

  async "the password, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.open("/account/password");
    await again(ann, await twice(ann, { currentPassword: PASSWORD, newPassword: NEW }));
    // Whichever comes first makes the other one's password a former one.
    await isDone(ann, "Your password is changed", "The password is wrong");
    await told(world, email, { "password.changed": 1 });
    await ann.isSignedIn(email);
  },

  async "the confirmation of the address, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await again(ann, await twice(ann, {}));
    const { code } = await world.mail(email, "/account/email/confirm");
    await again(ann, await twice(ann, { code }));
    await isDone(ann, "Your address is confirmed");
    await told(world, email, { "email.verified": 1 });
  },

  async "another address and the way back, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.confirm(email);
    const other = email.replace("@", "-new@");
    await ann.open("/account/profile");
    const typed = { email: other, currentPassword: PASSWORD };
    await again(ann, await twice(ann, typed, 'form[action="/account/profile/email"] button'));
    const { code } = await world.mail(other, "/account/email/change");
    await again(ann, await twice(ann, { code }));
    await isDone(ann, "Your address is changed");
    await told(world, other, { "email.changed": 1 });
    const { link } = await world.mail(email, "/account/email/undo");
    await ann.open(link);
    await again(ann, await twice(ann, { newPassword: NEW }));
    await isDone(ann, "The account has its former address again");
    await told(world, email, { "email.changed": 2 });
  },

  async "devices, twice"({ visitor, world }) {
    const [ann, phone, tablet] = [await visitor(), await visitor(), await visitor()];
    const email = await ann.signUp();
    await phone.signIn(email);
    await tablet.signIn(email);
    await ann.open("/account/devices");
    await again(ann, await twice(ann, {}, 'li.device:has-text("Signed"):not(:has-text("This device")) button'));
    await ann.shows("The device is signed out.");
    assert.equal((await world.account(email)).sessions.length, 2);
    await again(ann, await twice(ann, {}, 'button[value="others"]'));
    await ann.shows("The device is signed out.");
    assert.equal((await world.account(email)).sessions.length, 1);
    await again(ann, await twice(ann, {}, 'button[value="everywhere"]'));
    await isDone(ann, "You are signed out.", "by this form or before");
    assert.deepEqual((await world.account(email)).sessions, []);
  },

  async "a forgotten password, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.signOut();
    await ann.open("/account/recovery");
    await again(ann, await twice(ann, { email }));
    const { code } = await world.mail(email, "/account/recovery");
    await again(ann, await twice(ann, { code, newPassword: NEW }));
    await isDone(ann, "Your password is changed");
    await told(world, email, { "account.recovered": 1 });
    await (await visitor()).signIn(email, NEW);
  },

  async "a sign-in by code, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.confirm(email);
    await ann.isSignedIn(email);
    await ann.signOut();
    await ann.open("/account/signin/code");
    await again(ann, await twice(ann, { email }));
    const { code } = await world.mail(email, "/account/signin/code");
    await again(ann, await twice(ann, { code }));
    await isDone(ann, "Sign out");
    assert.equal((await world.account(email)).sessions.length, 1);
  },

  async "a password by an operator's link, twice"({ visitor, world }) {
    const [ann, phone] = [await visitor(), await visitor()];
    const email = await ann.signUp();
    await phone.open(await world.recoveryLink(email));
    await again(phone, await twice(phone, { newPassword: NEWEST }));
    await isDone(phone, "Your password is set");
    await told(world, email, { "account.recovered": 1 });
    await (await visitor()).signIn(email, NEWEST);
  },

  async "that an account is not one's own, twice"({ visitor, world }) {
    const [ann, phone] = [await visitor(), await visitor()];
    const email = await ann.signUp();
    const { link, code } = await world.mail(email, "/account/email/confirm");
    await phone.open(link);
    await phone.follow("main .links a");
    await again(phone, await twice(phone, { code }));
    await isDone(phone, "The account is deleted");
    assert.equal(await world.account(email), undefined);
  },

  async "a deletion, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    await ann.open("/account/delete");
    await again(ann, await twice(ann, { currentPassword: PASSWORD }));
    await ann.shows("Your account is deleted");
    assert.equal(await world.account(email), undefined);
    await ann.isSignedOut();
  },
};

/** In a service where an address has to be proved first. */
export const proved = {
  async "a sign-up that is proved, twice"({ visitor, world }) {
    const ann = await visitor();
    const email = address();
    await ann.open("/account/signup");
    await again(ann, await twice(ann, { email, password: PASSWORD }));
    // Each request has sent a mail of its own, and the last one's cookie is kept: for this page it is as if another browser had asked.
    const proof = await ann.page.inputValue('[name="proof"]');
    const { code } = (await world.mailsOf(email, "/account/signup/confirm", proof)).at(-1);
    await ann.send({ code });
    await ann.shows("Enter the password.");
    await again(ann, await twice(ann, { code, password: PASSWORD }));
    await isDone(ann, "Your account is ready");
    await told(world, email, { "account.created": 1 });
    await (await visitor()).signIn(email);
  },
};

/**
 * Fills in a form and clicks twice on its button; both requests are answered once both have come. Then the browser sends the same once more, with
 * the cookies that it had at first.
 */
async function twice(visitor, typed, button = "main form button") {
  const { page, world } = visitor;
  await visitor.fill(typed);
  const target = page.locator(button).first();
  await target.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await target.boundingBox();
  const click = () => page.mouse.click(x + width / 2, y + height / 2);
  const isForm = (exchange) => exchange.method === "POST" && visitor.hasSent(exchange);
  const since = world.gate.exchanges.length;
  const clicks = async () => {
    await click();
    await world.gate.until("the form of the first click", isForm, { since });
    await click();
  };
  const [[first, second]] = await Promise.all([
    world.gate.gather(isForm, 2),
    page.waitForEvent("framenavigated"),
    clicks(),
  ]);
  await page.waitForLoadState();
  assert.equal(first.body, second.body);
  return first;
}

/** The same request once more, with the cookies that it had at first; its answer is the browser's. */
async function again(visitor, exchange) {
  const { status, headers, body } = await visitor.world.gate.forward(exchange);
  const title = body.toString().match(/<title>(.*?)<\/title>/)?.[1];
  assert.ok(status === 303 || (status < 500 && title), `${exchange.path}: ${status} ${title}`);
  await visitor.keep(headers["set-cookie"] ?? []);
}

/** Fails unless the browser shows what one of both requests was answered, the one that did it or the one that came too late. */
async function isDone(visitor, done, late = DONE) {
  const text = await visitor.text();
  assert.ok(text.includes(done) || text.includes(late), text);
}

/** Counts what has happened to an account. */
async function told(world, email, counts) {
  const { events } = await world.account(email);
  for (const [name, count] of Object.entries(counts)) {
    assert.equal(events.filter((event) => event === name).length, count, `${name} among ${events.join(" ")}`);
  }
}
