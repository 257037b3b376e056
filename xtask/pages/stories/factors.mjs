// Second factors: authenticator apps with and without scripts, and passkeys, which need scripts, on authenticators that Chromium plays.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { PASSWORD, address } from "./visitor.mjs";

const STEP = 30_000;
const KEY = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
const PASSKEY = "[data-passkey] button";

/** A code of the secret that an authenticator app would show (RFC 6238): of so many steps after the present one. */
export function code(secret, after = 0) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP) + after));
  const mac = createHmac("sha1", Buffer.from(bytes)).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** The code of the step before the present one, which lasts long enough to send it. */
export async function formerCode(secret) {
  const left = STEP - (Date.now() % STEP);
  if (left < 5_000) {
    await new Promise((resolve) => setTimeout(resolve, left));
  }
  return code(secret, -1);
}

/** An authenticator of a page's browser. It answers as soon as it is asked, until it is told to wait. */
export async function withKey(page, options = {}) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options: { ...KEY, ...options } });
  const send = (command, more = {}) => session.send(`WebAuthn.${command}`, { authenticatorId, ...more });
  return {
    count: async () => (await send("getCredentials")).credentials.length,
    answers: (enabled) => send("setAutomaticPresenceSimulation", { enabled }),
    verifies: (isUserVerified) => send("setUserVerified", { isUserVerified }),
    forget: () => send("removeVirtualAuthenticator"),
  };
}

/** Asks for a passkey by the button, and waits for the page that this leads to. */
const press = (visitor) => visitor.follow(PASSKEY);

/** Confirms by the password, where a page asks for that. */
async function confirm(visitor) {
  visitor.isAt("/account/reauthenticate");
  await visitor.send({ currentPassword: PASSWORD });
}

const codesOf = (visitor) => visitor.page.locator(".codes code").allInnerTexts();

/** Goes on after the recovery codes; answers them. */
async function keepCodes(visitor) {
  const codes = await codesOf(visitor);
  assert.equal(codes.length, 10);
  await visitor.follow("main a.button");
  return codes;
}

/** Sets an app up; answers its secret, the code that it showed, and the recovery codes. */
async function setUp(visitor) {
  await visitor.open("/account/security");
  await visitor.follow('main a[href="/account/security/app"]');
  await confirm(visitor);
  await visitor.follow("main form button");
  const secret = await visitor.page.inputValue('[name="secret"]');
  await visitor.send({ totp: "000000" });
  await visitor.shows("The code is wrong.");
  const shown = await formerCode(secret);
  await visitor.send({ totp: shown });
  return { secret, shown, codes: await keepCodes(visitor) };
}

async function addPasskey(visitor, name) {
  await visitor.open("/account/security");
  await visitor.follow('main a[href="/account/security/passkey"]');
  await confirm(visitor);
  await visitor.fill({ name });
  await press(visitor);
}

/** Signs up with a passkey. */
async function signUp(visitor) {
  const email = address();
  await visitor.open("/account/signup");
  await visitor.fill({ email });
  await press(visitor);
  await keepCodes(visitor);
  return email;
}

/** The first step. */
async function signIn(visitor, email) {
  await visitor.open("/account/signin?return_to=/account/devices");
  await visitor.send({ email, password: PASSWORD });
  await visitor.shows("One more step");
}

export const stories = {
  async "an app is set up, asked for, and removed"({ visitor }) {
    const ann = await visitor();
    const email = await ann.signUp();
    const { secret, shown } = await setUp(ann);
    await ann.shows("10 are left");
    await ann.signOut();
    await signIn(ann, email);
    await ann.send({ totp: shown });
    await ann.shows("used before");
    await ann.send({ totp: code(secret) });
    ann.isAt("/account/devices");
    await ann.open("/account/security");
    await ann.follow('main a[href="/account/security/remove"]');
    await confirm(ann);
    await ann.send({});
    await ann.shows("Below is what your account has now.");
    await ann.signOut();
    await ann.signIn(email);
  },

  async "a recovery code lets in whose phone is lost"({ visitor, world }) {
    const [ann, other] = [await visitor(), await visitor()];
    const email = await ann.signUp();
    const { codes } = await setUp(ann);
    await signIn(other, email);
    await other.follow('button[value="recoveryCode"]');
    await other.send({ recoveryCode: codes[0].toLowerCase() });
    other.isAt("/account/devices");
    await other.open("/account/security");
    await other.shows("9 are left");
    await other.signOut();
    await signIn(other, email);
    await other.follow('button[value="recoveryCode"]');
    for (const left of ["4 more times", "3 more times", "2 more times", "once more"]) {
      await other.send({ recoveryCode: codes[0] });
      await other.shows(left);
    }
    await other.send({ recoveryCode: codes[0] });
    other.isAt("/account/signin");
    await other.shows("The second step took too long");
    const { events } = await world.account(email);
    assert.ok(events.includes("recovery_code.used"), events.join());
  },

  async "a new password by a mail is no way past the app"({ visitor, world }) {
    const ann = await visitor();
    const email = await ann.signUp();
    // A factor withstands a recovery once the address is verified.
    await ann.open("/account");
    await ann.follow("main form button");
    await ann.send({ code: (await world.mail(email, "/account/email/confirm")).code });
    const { secret } = await setUp(ann);
    await ann.signOut();
    await ann.follow('a[href^="/account/recovery"]');
    await ann.send({ email });
    await ann.open((await world.mail(email, "/account/recovery")).link);
    await ann.send({ newPassword: "staple of a better horse" });
    await ann.shows("One more step");
    assert.equal((await ann.cookies()).refresh, undefined);
    await ann.send({ totp: code(secret) });
    await ann.shows("Your password is changed");
    await ann.isSignedIn(email);
  },
};

export const passkeys = {
  async "a passkey signs up, and in by the button and by autofill"({ visitor }) {
    const ann = await visitor();
    const key = await withKey(ann.page);
    const email = await signUp(ann);
    await ann.isSignedIn(email);
    await key.answers(false);
    await ann.signOut();
    await ann.page.locator(PASSKEY).waitFor();
    await key.answers(true);
    await press(ann);
    await ann.isSignedIn(email);
    await key.answers(false);
    await ann.signOut();
    // Nothing but the key answers.
    const signedIn = ann.page.waitForURL("**/account");
    await key.answers(true);
    await ann.page.reload();
    await signedIn;
    await ann.isSignedIn(email);
    await ann.open("/account/delete");
    ann.isAt("/account/reauthenticate");
    await press(ann);
    ann.isAt("/account/delete");
    await ann.send({});
    await ann.shows("Your account is deleted");
  },

  async "a passkey is added, is a second step, and is removed"({ visitor }) {
    const ann = await visitor();
    const key = await withKey(ann.page);
    const email = await ann.signUp();
    await addPasskey(ann, "Phone");
    await keepCodes(ann);
    await ann.shows("Phone");
    await ann.follow('main a[href="/account/security/passkey"]');
    // The first factor has ended what was shown before.
    await confirm(ann);
    await ann.page.click(PASSKEY);
    await ann.page.getByText("This device has a passkey of your account already.").waitFor();
    assert.equal(await key.count(), 1);
    await key.answers(false);
    await ann.signOut();
    await ann.fill({ email, password: PASSWORD });
    await ann.follow("main form button[type=submit]");
    await ann.shows("One more step");
    await key.answers(true);
    await press(ann);
    await ann.isSignedIn(email);
    await ann.open("/account/security");
    await ann.follow('main a[href^="/account/security/rename"]');
    await ann.send({ name: "Old phone" });
    await ann.shows("Old phone");
    await ann.follow('main a[href^="/account/security/remove"]');
    await press(ann);
    await ann.send({});
    await ann.showsNot("Old phone");
  },

  async "a key that does not know its user signs nobody in"({ visitor }) {
    const ann = await visitor();
    const key = await withKey(ann.page);
    const email = await signUp(ann);
    await key.verifies(false);
    await ann.signOut();
    await ann.page.click(PASSKEY);
    await ann.page.locator('[role="alert"]', { hasText: "No passkey was used." }).waitFor();
    ann.isAt("/account/signin");
    await key.verifies(true);
    await press(ann);
    await ann.isSignedIn(email);
  },

  async "two accounts are on one key, and each gets its own"({ visitor }) {
    const ann = await visitor();
    const key = await withKey(ann.page);
    const first = await ann.signUp();
    await addPasskey(ann, "Key");
    await keepCodes(ann);
    await key.answers(false);
    await ann.signOut();
    const second = address();
    await ann.open("/account/signup");
    await ann.send({ email: second, password: PASSWORD });
    await key.answers(true);
    await addPasskey(ann, "Key");
    await keepCodes(ann);
    assert.equal(await key.count(), 2);
    for (const email of [first, second]) {
      await key.answers(false);
      await ann.signOut();
      await ann.send({ email, password: PASSWORD }, "main form button[type=submit]");
      await ann.shows("One more step");
      await key.answers(true);
      await press(ann);
      await ann.isSignedIn(email);
    }
  },
};

/** Where a mailbox has to be proved before there is an account. */
export const proved = {
  async "a sign-up with a passkey goes on with the code"({ visitor, world }) {
    const [ann, other] = [await visitor(), await visitor()];
    await withKey(ann.page);
    const email = address();
    await ann.open("/account/signup");
    await ann.fill({ email });
    await press(ann);
    const { code } = await world.mail(email, "/account/signup/confirm");
    await other.open(ann.page.url());
    await other.send({ code });
    await other.shows("only in the browser in which you did that");
    await ann.send({ code });
    await keepCodes(ann);
    await ann.shows("Your account is ready");
    await ann.isSignedIn(email);
  },
};
