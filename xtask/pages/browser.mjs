// Chromium, without what it does of its own accord.

import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it with a profile of its own; `flags` and `without` are further flags, and such of the driver's that are left out. */
export const launch = (executablePath, { flags = [], without = [] } = {}) =>
  chromium.launch({ executablePath, args: [...FLAGS, ...flags], ignoreDefaultArgs: without });
