// Chromium with tabs that have a client each.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  "--no-sandbox",
];
const USUAL = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/** Where Chromium is: REVOLVE_CHROMIUM, or where Debian has it. */
export const CHROMIUM = process.env.REVOLVE_CHROMIUM ?? USUAL.find(existsSync);

/** For tests: whether and why they are left out. */
export const NEEDS_CHROMIUM = {
  skip: !CHROMIUM && "there is no Chromium; REVOLVE_CHROMIUM says where it is",
};

export const launch = () =>
  chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/**
 * A tab with a client as `client`, its events as `events`, and a clock that `shift` puts forward, in milliseconds.
 *
 * @param at The front that serves the page; that of the API if `api` is not another one.
 */
export async function tab(context, at, options = {}, api = at) {
  const page = await context.newPage();
  await page.goto(at.url);
  await page.evaluate(
    async (options) => {
      const { createClient } = await import("/client.js");
      const { factorsOf, ...factors } = await import("/factors.js");
      globalThis.shift = 0;
      const now = () => Date.now() + globalThis.shift;
      globalThis.client = createClient({ ...options, now });
      globalThis.factors = { ...factors, ...factorsOf(globalThis.client) };
      globalThis.events = [];
      for (const event of ["signed-in", "signed-out", "refreshed"]) {
        const told = (detail) =>
          globalThis.events.push(
            event === "signed-out" ? `${event} ${detail}` : event,
          );
        globalThis.client.on(event, told);
      }
    },
    { url: api.url, patience: 0, ...options },
  );
  return page;
}

/** Signs somebody new up in a tab; returns the address. */
export const signUpIn = (page, email, password) =>
  page.evaluate((input) => globalThis.client.signUp(input), {
    email,
    password,
  });

/** The address of who is signed in in a tab. */
export const userOf = (page) =>
  page.evaluate(async () => (await globalThis.client.user())?.email ?? null);

/** Waits until a tab has been told so. */
export const told = (page, event) =>
  page.waitForFunction((event) => globalThis.events.includes(event), event);

/** Puts a tab's clock forward. */
export const putForward = (page, time) =>
  page.evaluate((time) => {
    globalThis.shift = time;
  }, time);
