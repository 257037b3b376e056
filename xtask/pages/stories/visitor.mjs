// Somebody with a browser of their own.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const PASSWORD = "correct horse battery";
export const NEW = "staple of a better horse";
export const NEWEST = "a third one that is hers";

/** Another person's address each time. */
export const address = () => `ann-${randomUUID()}@example.org`;

/** In milliseconds, for what a browser does. */
const PATIENCE = 30_000;
let opened = 0;

export class Visitor {
  /** What the browser complained of, and what it loaded from elsewhere. */
  faults = [];

  /** Opens a browser that has no cookies; `scripts`: whether pages may run any. */
  static async open(browser, world, scripts) {
    // What the service is told of the browser tells the gate which one it is.
    const mark = `Visitor/${(opened += 1)}`;
    const userAgent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/${browser.version()} ${mark}`;
    const context = await browser.newContext({ javaScriptEnabled: scripts, locale: "en-GB", userAgent });
    const visitor = new Visitor(context, world, mark);
    context.setDefaultTimeout(PATIENCE);
    context.on("page", (page) => visitor.#watch(page));
    visitor.page = await context.newPage();
    return visitor;
  }

  constructor(context, world, mark) {
    this.context = context;
    this.world = world;
    this.mark = mark;
  }

  /** Whether this browser has sent that. */
  hasSent({ headers }) {
    return headers["user-agent"]?.endsWith(this.mark) ?? false;
  }

  /** Goes on in another tab of the same browser. */
  async tab() {
    const other = new Visitor(this.context, this.world, this.mark);
    other.page = await this.context.newPage();
    return other;
  }

  #watch(page) {
    const isOurs = () => page.url().startsWith(`${this.world.url}/account`);
    page.on("console", (message) => {
      // The answer to a refused form is an error to the console, too.
      if (isOurs() && message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        this.faults.push(`${page.url()}: ${message.text()}`);
      }
    });
    page.on("request", (request) => {
      const isDocument = request.isNavigationRequest();
      if (isOurs() && !isDocument && !request.url().startsWith(this.world.url)) {
        this.faults.push(`${page.url()} loads ${request.url()}`);
      }
    });
  }

  /** Opens a page of the service, or a whole address. */
  async open(path) {
    await this.page.goto(new URL(path, this.world.url).href);
  }

  /** Types what is named, and sends the form with that button. */
  async send(typed, button = "main form button") {
    await this.fill(typed);
    await this.follow(button);
  }

  async fill(typed) {
    for (const [name, value] of Object.entries(typed)) {
      await this.page.fill(`main [name="${name}"]`, value);
    }
  }

  /** Clicks, and waits for the page that this leads to. */
  async follow(selector) {
    await Promise.all([this.page.waitForNavigation(), this.page.click(selector)]);
  }

  /** Uses the browser's button. What it has kept comes as it was, and loads nothing. */
  async move(button) {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.page[button]({ waitUntil: "commit" });
        break;
      } catch (error) {
        // The driver may still be busy with the page that comes.
        if (tries === 5 || !error.message.includes("Not attached")) {
          throw error;
        }
      }
    }
    await this.page.locator("main").waitFor();
  }

  back() {
    return this.move("goBack");
  }

  forward() {
    return this.move("goForward");
  }

  isAt(path) {
    assert.equal(new URL(this.page.url()).pathname, path, `where ${this.page.url()} is`);
  }

  /** Of the address of the page. */
  parameter(name) {
    return new URL(this.page.url()).searchParams.get(name);
  }

  /** What its reader reads. */
  async text() {
    return this.page.locator("body").innerText();
  }

  async shows(text) {
    const read = await this.text();
    assert.ok(read.includes(text), `${this.page.url()} does not say "${text}", but:\n${read}`);
  }

  async showsNot(text) {
    const html = await this.page.content();
    assert.ok(!html.includes(text), `${this.page.url()} has "${text}"`);
  }

  /** What is in a field of the form. */
  typed(name) {
    return this.page.inputValue(`main [name="${name}"]`);
  }

  /** Whether the form asks for it. */
  async asksFor(name) {
    return (await this.page.locator(`main [name="${name}"]:not([type="hidden"])`).count()) > 0;
  }

  /** The cookies of the service, by the kind that their name tells. */
  async cookies() {
    const all = await this.context.cookies(this.world.url);
    const ours = all.filter(({ name }) => name.startsWith("revolve-"));
    return Object.fromEntries(ours.map(({ name, value }) => [name.split("-")[1], value]));
  }

  /** Takes cookies as a browser does that is sent them. */
  async keep(lines) {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0\b/i.test(line)) {
        await this.context.clearCookies({ name });
      } else {
        const sameSite = /samesite=lax/i.test(line) ? "Lax" : "Strict";
        await this.context.addCookies([{ name, value, url: this.world.url, httpOnly: true, sameSite }]);
      }
    }
  }

  async signUp(email = address(), password = PASSWORD) {
    await this.open("/account/signup");
    await this.send({ email, password });
    this.isAt("/account");
    return email;
  }

  /** Proves that the address is theirs; only then are there mails that sign in. */
  async confirm(email) {
    const { link } = await this.world.mail(email, "/account/email/confirm");
    await this.open(link);
    await this.send({});
    await this.shows("Your address is confirmed");
  }

  async signIn(email, password = PASSWORD) {
    await this.open("/account/signin");
    await this.send({ email, password });
    this.isAt("/account");
  }

  /** By the button that is on all pages of an account. */
  async signOut() {
    await this.follow("header button");
    await this.shows("You are signed out.");
  }

  /** Fails unless the browser is signed in to that account. */
  async isSignedIn(email) {
    await this.open("/account");
    this.isAt("/account");
    await this.shows(email);
    assert.equal(await this.page.evaluate(() => document.cookie), "", "what scripts can read");
  }

  async isSignedOut() {
    await this.open("/account");
    this.isAt("/account/signin");
  }
}
