// Walks every page of a service in Chromium: at two widths, in light and dark. Each page is kept as a picture,
// judged by axe-core, and must not scroll sideways, load anything from elsewhere or break its policy.
//
//   node walk.mjs URL MAILS PICTURES CHROMIUM
//
// URL: the service's issuer. MAILS: the folder in which it writes its mails. PICTURES: an empty folder.

import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { launch } from "./browser.mjs";
import { enter, press, tab, type } from "./hands.mjs";
import { mailTo } from "./mails.mjs";
import { code as codeOf, formerCode, withKey } from "./stories/factors.mjs";

const [, , url, mails, pictures, executablePath] = process.argv;
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const PASSWORD = "correct horse battery";
const NEW = "staple of a better horse";
const NEWEST = "a third one that is hers";
const faults = [];
let seen = 0;

/** A browser of somebody, which remembers what went wrong. */
async function open(browser, width, colorScheme, locale = "en-GB") {
  const viewport = { width, height: width < 500 ? 740 : 800 };
  const context = await browser.newContext({ viewport, colorScheme, locale, acceptDownloads: true });
  const page = await context.newPage();
  page.on("console", (message) => {
    // The answer to a refused form is an error to the console, too.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      faults.push(`${page.url()}: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("http://127.0.0.1:")) {
      faults.push(`${page.url()} loads ${request.url()}`);
    }
  });
  return page;
}

/** Looks at a page as it is. */
async function look(page, name) {
  const { width } = page.viewportSize();
  const scheme = (await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches)) ? "dark" : "light";
  const at = `${name} (${width}, ${scheme})`;
  await page.screenshot({ path: `${pictures}/${name}-${width}-${scheme}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > width) {
    faults.push(`${at} scrolls sideways: ${wide}`);
  }
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  for (const { id, help, nodes } of violations) {
    faults.push(`${at}: ${id}: ${help}: ${nodes.map((node) => node.html).join(" | ")}`);
  }
  seen += 1;
}

function expect(what, condition) {
  if (!condition) {
    throw new Error(`${what} is not so`);
  }
}

const go = (page, path) => page.goto(`${url}${path}`);
const says = async (page, text) => expect(`"${text}" on ${page.url()}`, (await page.content()).includes(text));
const at = (page, path) => expect(`${page.url()} at ${path}`, new URL(page.url()).pathname === path);

/** Types what is named, and sends the form that it is in. */
async function send(page, typed, button) {
  for (const [name, value] of Object.entries(typed)) {
    await page.fill(`[name="${name}"]`, value);
  }
  await Promise.all([page.waitForNavigation(), page.click(button ?? "main form button")]);
}

const click = (page, selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
const signOut = (page) => click(page, "header button");
const signIn = async (page, email, password) => {
  await go(page, "/account/signin");
  await send(page, { email, password });
};

/** Somebody who signs up, confirms the address and looks around. */
async function begins(page, email) {
  await go(page, "/account");
  at(page, "/account/signin");
  await look(page, "sign-in");
  await send(page, { email, password: NEW });
  await says(page, "is wrong");
  await look(page, "sign-in-refused");
  await click(page, 'a[href^="/account/signup"]');
  await look(page, "sign-up");
  await send(page, { email, password: "password1" });
  await look(page, "sign-up-refused");
  await send(page, { password: PASSWORD });
  at(page, "/account");
  await says(page, "not confirmed");
  await look(page, "home-unconfirmed");
  const first = await mailTo(mails, email, "/account/email/confirm");
  await send(page, {});
  at(page, "/account/email/confirm");
  await look(page, "confirm-email");
  const { code } = await mailTo(mails, email, "/account/email/confirm");
  await send(page, { code: code === "000000" ? "000001" : "000000" });
  await look(page, "confirm-email-refused");
  await send(page, { code });
  await look(page, "confirm-email-done");
  await click(page, "main a");
  await look(page, "home");
  await go(page, new URL(first.link).pathname + new URL(first.link).search);
  await look(page, "confirm-email-link");
  await click(page, "main .links a");
  await look(page, "disown-email");
}

/** What a user changes. Answers the address that the account has in the end. */
async function changes(page, email) {
  await go(page, "/account/profile");
  await look(page, "profile");
  await send(page, { name: "Ann", website: "https://example.org/", imageUrl: "http://127.0.0.1/a.png" });
  await look(page, "profile-refused");
  await send(page, { imageUrl: "" });
  await look(page, "profile-saved");
  const other = email.replace("@", "-new@");
  const change = 'form[action="/account/profile/email"] button';
  await send(page, { email: other, currentPassword: NEW }, change);
  await look(page, "change-email-refused");
  await send(page, { currentPassword: PASSWORD }, change);
  await look(page, "change-email-code");
  const { code } = await mailTo(mails, other, "/account/email/change");
  await send(page, { code });
  await look(page, "change-email-done");
  const undo = await mailTo(mails, email, "/account/email/undo");
  await page.goto(undo.link);
  await look(page, "undo-email");
  await go(page, "/account/password");
  await look(page, "password");
  await send(page, { currentPassword: NEW, newPassword: NEW });
  await look(page, "password-refused");
  await send(page, { currentPassword: PASSWORD, newPassword: NEW });
  await says(page, "is changed");
  await look(page, "password-changed");
  return other;
}

/** Devices that see each other. */
async function devices(browser, page, email) {
  const phone = await open(browser, page.viewportSize().width, "light");
  await signIn(phone, email, NEW);
  await go(page, "/account/devices");
  await look(page, "devices");
  await phone.goto(`${url}/account/profile`);
  const others = page.locator("li.device", { hasNotText: "This device" }).first();
  await Promise.all([page.waitForNavigation(), others.locator("button").click()]);
  await says(page, "is signed out");
  await look(page, "devices-signed-out");
  // The page that was open is of no more use.
  await send(phone, { name: "Eve" });
  at(phone, "/account/signin");
  await look(phone, "sign-in-ended");
  await phone.context().close();
  await go(page, "/account/profile");
  for (let number = 0; number < 20; number += 1) {
    await send(page, { name: `Ann ${number}` });
  }
  await go(page, "/account/activity");
  await look(page, "activity");
  await click(page, ".older");
  await look(page, "activity-older");
  await go(page, "/account/export");
  await look(page, "export");
  await page.fill('[name="currentPassword"]', NEW);
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("main form button")]);
  const exported = JSON.parse(readFileSync(await file.path(), "utf8"));
  expect("the export", exported.account.email === email);
}

/** A second factor of each kind, a sign-in with it, and none again. */
async function factors(page, email) {
  const key = await withKey(page);
  await key.answers(false);
  await go(page, "/account/security");
  await look(page, "security");
  await click(page, 'main a[href="/account/security/app"]');
  await look(page, "reauthenticate");
  await send(page, { currentPassword: PASSWORD });
  await look(page, "reauthenticate-refused");
  await send(page, { currentPassword: NEW });
  await look(page, "app");
  await send(page, {});
  await look(page, "app-code");
  const secret = await page.inputValue('[name="secret"]');
  await send(page, { totp: "000000" });
  await look(page, "app-refused");
  await send(page, { totp: await formerCode(secret) });
  await look(page, "recovery-codes");
  await click(page, "main a.button");
  await click(page, 'main a[href="/account/security/passkey"]');
  // The first factor has ended what was shown before.
  await send(page, { currentPassword: NEW });
  await look(page, "passkey");
  await key.answers(true);
  await click(page, "[data-passkey] button");
  await look(page, "security-set-up");
  for (const name of ["rename", "remove"]) {
    await click(page, `main a[href^="/account/security/${name}?passkey="]`);
    await look(page, `passkey-${name}`);
    await go(page, "/account/security");
  }
  await click(page, 'main a[href="/account/security/codes"]');
  await look(page, "recovery-codes-new");
  await key.answers(false);
  await signOut(page);
  await send(page, { email, password: NEW });
  await look(page, "factor");
  await send(page, { totp: "000000" }, "main form button[type=submit]");
  await look(page, "factor-refused");
  await click(page, 'button[value="recoveryCode"]');
  await look(page, "factor-recovery-code");
  await click(page, 'button[value="totp"]');
  await send(page, { totp: codeOf(secret) }, "main form button[type=submit]");
  at(page, "/account");
  await go(page, "/account/password");
  await click(page, "main .links a");
  await look(page, "reauthenticate-otherwise");
  await click(page, 'button[value="totp"]');
  await send(page, { totp: codeOf(secret, 1) }, "main form button[type=submit]");
  at(page, "/account/password");
  for (let count = 0; count < 2; count += 1) {
    await go(page, "/account/security");
    await click(page, 'main a[href^="/account/security/remove"]');
    await send(page, {});
  }
  await says(page, "Below is what your account has now.");
  await key.forget();
}

/** Out, and back in without the password. */
async function returns(page, email) {
  await go(page, "/account/signout");
  await look(page, "sign-out");
  await signOut(page);
  await says(page, "You are signed out.");
  await look(page, "signed-out");
  await page.goBack();
  at(page, "/account/signin");
  await click(page, 'a[href^="/account/recovery"]');
  await look(page, "recovery");
  await send(page, { email });
  await look(page, "recovery-code");
  const { link, code } = await mailTo(mails, email, "/account/recovery");
  await page.goto(link);
  await look(page, "recovery-link");
  await send(page, { newPassword: NEWEST });
  await look(page, "recovery-done");
  await page.goto(link);
  await send(page, { newPassword: NEWEST });
  await look(page, "gone");
  expect("the code", code.length === 6);
  await go(page, "/account");
  await signOut(page);
  await click(page, 'a[href^="/account/signin/code"]');
  await look(page, "sign-in-code");
  await send(page, { email });
  await look(page, "sign-in-code-typed");
  const mail = await mailTo(mails, email, "/account/signin/code");
  await page.goto(mail.link);
  await look(page, "sign-in-code-link");
  await send(page, {});
  at(page, "/account");
}

async function leaves(page) {
  await go(page, "/account/nothing");
  await look(page, "not-found");
  await go(page, "/account/delete");
  await look(page, "delete");
  await send(page, { currentPassword: PASSWORD });
  await look(page, "delete-refused");
  await send(page, { currentPassword: NEWEST });
  await look(page, "deleted");
}

/** A link on another site, whose request has no cookies; the page sees to it that they come. */
async function fromElsewhere(page) {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end(`<title>Elsewhere</title><a href="${url}/account/devices">There</a>`);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.click("a");
  await page.waitForURL(`${url}/account/devices?again=1`);
  await says(page, "This device");
  server.close();
}

/** Two clicks are one sign-in, and the keyboard is enough for it. */
async function byKeyboard(browser, email) {
  const page = await open(browser, 1280, "light");
  await go(page, "/account/signup");
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', PASSWORD);
  const twice = (form) => {
    form.requestSubmit();
    form.requestSubmit();
  };
  await Promise.all([page.waitForURL(`${url}/account`), page.locator("main form").evaluate(twice)]);
  await signOut(page);
  await tab(page, "email");
  await type(page, email);
  await tab(page, "password");
  await type(page, PASSWORD);
  await enter(page);
  at(page, "/account");
  await press(page, "Tab");
  const skip = await page.evaluate(() => document.activeElement.className);
  expect("the skip link is first", skip === "skip");
  await look(page, "skip-link");
  await fromElsewhere(page);
  await page.context().close();
}

/** The German pages, which are longer. */
async function german(browser, email) {
  const page = await open(browser, 360, "light", "de-AT");
  await go(page, "/account/signup");
  await send(page, { email, password: PASSWORD });
  for (const name of ["", "profile", "password", "security", "reauthenticate", "devices", "activity", "export", "delete"]) {
    await go(page, `/account/${name}`.replace(/\/$/, ""));
    expect("it is German", (await page.getAttribute("html", "lang")) === "de");
    await look(page, `german-${name || "home"}`);
  }
  await page.context().close();
}

mkdirSync(pictures, { recursive: true });
const browser = await launch(executablePath);
for (const width of [360, 1280]) {
  for (const scheme of ["light", "dark"]) {
    const email = `ann-${width}-${scheme}@example.org`;
    const page = await open(browser, width, scheme);
    try {
      await begins(page, email);
      const now = await changes(page, email);
      await devices(browser, page, now);
      await factors(page, now);
      await returns(page, now);
      await leaves(page);
    } catch (error) {
      await page.screenshot({ path: `${pictures}/failed-${width}-${scheme}.png`, fullPage: true });
      faults.push(`at ${page.url()} (${width}, ${scheme}): ${error.stack}`);
    }
    await page.context().close();
  }
}
await byKeyboard(browser, "bob@example.org");
await german(browser, "eve@example.org");
await browser.close();
for (const fault of faults) {
  console.error(fault);
}
console.log(`${seen} pages, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
