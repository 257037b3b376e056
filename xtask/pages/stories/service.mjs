// A service of its own: the binary over an embedded store in a temporary folder.

import { execFile, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Everything that has a page, cheap hashes, and no limits: all requests come from one address. */
const SETTINGS = {
  ACCOUNTS__SIGN_IN_CODE: "true",
  ACCOUNTS__VERIFICATION: "optional",
  HASHING__MEMORY_KIB: "64",
  HASHING__PASSES: "1",
  HTTP__ADMIN_LISTEN: "127.0.0.1:0",
  HTTP__LISTEN: "127.0.0.1:0",
  HTTP__SHUTDOWN_TIMEOUT: "1s",
  HTTP__WORKERS: "2",
  LIMITS__ADMIN_PER_KEY: "off",
  LIMITS__ENABLED: "false",
  PAGES__NAME: "Example",
};

/** Runs a program that is ended when its standard input is: when this process has ended, however that was. */
const TIED = 'exec 3<&0; { cat <&3; kill $$; } >/dev/null 2>&1 & exec "$0" 3<&-';

/** Starts one with these settings (`SECTION__KEY`). */
export async function startService(binary, settings) {
  const home = await mkdtemp(join(tmpdir(), "revolve-stories-"));
  const variables = { ...SETTINGS, DATA_DIR: join(home, "data"), ...settings };
  const env = Object.fromEntries(Object.entries(variables).map(([key, value]) => [`REVOLVE__${key}`, value]));
  const log = () => readFileSync(join(home, "log"), "utf8");
  const stdio = ["pipe", "pipe", openSync(join(home, "log"), "w")];
  const child = spawn("sh", ["-c", TIED, binary], { cwd: home, env, stdio });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const said = linesOf(child.stdout, { url: /^listening on (.*)$/, admin: /^admin API on (.*)$/ });
  const { url, admin } = await Promise.race([said, exited.then(() => ({}))]);
  if (!url) {
    throw new Error(`the service does not start: ${log()}`);
  }
  return {
    url,
    admin,
    mails: join(home, "data/mail"),
    pid: child.pid,
    log,
    /** Runs a command of the service over the same store; answers what it prints. */
    async command(...words) {
      const { stdout } = await run(binary, words, { cwd: home, env });
      return stdout;
    },
    async stop() {
      child.stdin.end();
      await exited;
      await rm(home, { recursive: true });
    },
  };
}

/** What is in the first lines that match, once all of them were printed. */
function linesOf(output, patterns) {
  const found = {};
  return new Promise((all) => {
    createInterface(output).on("line", (line) => {
      for (const [name, pattern] of Object.entries(patterns)) {
        found[name] ??= pattern.exec(line)?.[1];
      }
      if (Object.keys(patterns).every((name) => found[name])) {
        all(found);
      }
    });
  });
}
