// What people do with the pages of a service, in Chromium, with and without scripts; what a forger tries; and how large and fast the pages are.
//
//   node stories.mjs BINARY CLIENT CHROMIUM PICTURES [WORDS]
//
// BINARY: the service. CLIENT: the client for browsers, in one file. PICTURES: a folder for what was seen of stories that fail. WORDS: of the names
// of the stories that are played, otherwise all.

import { launch } from "./browser.mjs";
import { stories as account } from "./stories/account.mjs";
import { search } from "./stories/canary.mjs";
import { brief, stories as ended } from "./stories/ended.mjs";
import { passkeys, proved as provedPasskeys, stories as factors } from "./stories/factors.mjs";
import { measure, told } from "./stories/figures.mjs";
import { stories as forged } from "./stories/forged.mjs";
import { stories as fronts } from "./stories/fronts.mjs";
import { stories as history } from "./stories/history.mjs";
import { stories as recovery } from "./stories/recovery.mjs";
import { proved, stories as twice } from "./stories/twice.mjs";
import { Visitor } from "./stories/visitor.mjs";
import { openWorld } from "./stories/world.mjs";

const [, , binary, client, chromium, pictures, words = ""] = process.argv;

/** Stories of a service with these settings, in a browser without that flag of its driver; those that need scripts are played with them alone. */
const GROUPS = [
  { settings: {}, stories: { ...account, ...recovery, ...ended, ...twice, ...factors }, withScripts: { ...forged, ...fronts, ...passkeys } },
  { settings: {}, stories: history, without: ["--disable-back-forward-cache"] },
  { settings: { ACCOUNTS__VERIFICATION: "required" }, stories: proved, withScripts: provedPasskeys },
  { settings: { TOKENS__ID_LIFETIME: "1s", TOKENS__REFRESH_LIFETIME: "4s" }, stories: brief },
];
/** Whatever resolves names on this machine. */
const FLAGS = ["--host-resolver-rules=MAP *.localhost 127.0.0.1"];

const PATIENCE = 120_000;

const began = Date.now();
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
const failed = [];
const notes = [];

/** Plays a story; if it fails, tells what was to be seen. */
async function play({ title, story, scripts }, browser, world) {
  const began = Date.now();
  const visitors = [];
  const visitor = async () => {
    const opened = await Visitor.open(browser, world, scripts);
    visitors.push(opened);
    return opened;
  };
  try {
    await within(PATIENCE, story({ visitor, world, note: (text) => notes.push(text) }));
    const faults = visitors.flatMap(({ faults }) => faults);
    if (faults.length > 0) {
      throw new Error(faults.join("\n"));
    }
    console.log(`${seconds(began).padStart(7)}  ${title}`);
  } catch (error) {
    failed.push(title);
    console.error(`FAILED: ${title}\n${error.stack}`);
    await tell(visitors, title);
  }
  await Promise.all(visitors.map(({ context }) => context.close()));
}

/** Waits no longer than so many milliseconds. */
function within(patience, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it is not over after ${patience / 1000} s`)), patience);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function tell(visitors, title) {
  const pages = visitors.flatMap(({ context }) => context.pages());
  for (const [number, page] of pages.entries()) {
    const path = `${pictures}/failed ${title} ${number}.png`;
    const text = await page.locator("body").innerText({ timeout: 1000 }).catch(() => "");
    await page.screenshot({ path, fullPage: true }).catch(() => {});
    console.error(`  seen at ${page.url()}:\n${text.replace(/^/gm, "    | ")}`);
  }
}

/** Plays a group's stories in one service, and looks for secrets in all that was said. */
async function playAll({ settings, stories, withScripts = {}, without }) {
  const played = (all, scripts) =>
    Object.entries(all).map(([name, story]) => ({ title: `${name} (${scripts ? "with" : "without"} scripts)`, story, scripts }));
  const queue = [...played({ ...withScripts, ...stories }, true), ...played(stories, false)];
  const chosen = queue.filter(({ title }) => title.includes(words));
  if (chosen.length === 0) {
    return;
  }
  const world = await openWorld({ binary, client, settings });
  const browser = await launch(chromium, { flags: FLAGS, without });
  const take = async () => {
    for (let next = chosen.shift(); next; next = chosen.shift()) {
      await play(next, browser, world);
    }
  };
  // One waits for the service or the browser while the other is busy.
  await Promise.all([take(), take()]);
  await browser.close();
  const { found, secrets, places } = search(world);
  notes.push(`${secrets} secrets looked for in ${places} pages, addresses, referrers and logs: ${found.length} found`);
  if (found.length > 0) {
    failed.push("nothing secret is said");
    console.error(`FAILED: nothing secret is said\n${found.join("\n")}`);
  }
  await world.close();
}

for (const group of GROUPS) {
  await playAll(group);
}
if ("figures".includes(words)) {
  const { lines, wrong } = told(await measure(binary));
  console.log(lines.join("\n"));
  for (const fault of wrong) {
    failed.push("figures");
    console.error(`FAILED: figures\n${fault}`);
  }
}
console.log([...notes, `stories played in ${seconds(began)}, ${failed.length} failed`].join("\n"));
for (const title of failed) {
  console.error(`failed: ${title}`);
}
process.exitCode = failed.length > 0 ? 1 : 0;
