// A service of its own for a test: the binary of REVOLVE_BINARY over an embedded store in a temporary folder.

import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const CHEAP = {
  HASHING__MEMORY_KIB: "64",
  HASHING__PASSES: "1",
  HTTP__LISTEN: "127.0.0.1:0",
  HTTP__SHUTDOWN_TIMEOUT: "1s",
  HTTP__WORKERS: "2",
  LIMITS__ENABLED: "false",
  LOG__LEVEL: "warn",
  SESSIONS__MAX_PER_USER: "50",
  TOKENS__ALGORITHM: "ES256",
};

/** Runs a program that is ended when its standard input is: when this process has ended, however that was. */
const TIED =
  'exec 3<&0; { cat <&3; kill $$; } >/dev/null 2>&1 & exec "$0" 3<&-';

/** Starts one with these settings (`SECTION__KEY`). */
export async function startService(settings) {
  const binary = process.env.REVOLVE_BINARY;
  if (!binary) {
    throw new Error(
      "REVOLVE_BINARY names no service: `cargo xtask client` builds one",
    );
  }
  const home = await mkdtemp(join(tmpdir(), "revolve-client-"));
  const data = join(home, "data");
  const variables = { ...CHEAP, DATA_DIR: data, ...settings };
  const log = join(home, "log");
  const child = spawn("sh", ["-c", TIED, binary], {
    cwd: home,
    env: Object.fromEntries(
      Object.entries(variables).map(([key, value]) => [
        `REVOLVE__${key}`,
        value,
      ]),
    ),
    stdio: ["pipe", "pipe", openSync(log, "w")],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const mails = new Mails();
  const listening = new Promise((resolve) => {
    createInterface(child.stdout).on("line", (line) => {
      const url = /^listening on (.*)$/.exec(line)?.[1];
      if (url) resolve(url);
      mails.read(line);
    });
  });
  const url = await Promise.race([listening, exited.then(() => undefined)]);
  if (!url)
    throw new Error(`it does not start: ${await readFile(log, "utf8")}`);
  return {
    url,
    /** A mail's `code`, and the `proof` of its link, once it has come; the next call waits for another mail. */
    mail: (kind, address) => mails.next(kind, address),
    async stop() {
      child.stdin.end();
      await exited;
      await rm(home, { recursive: true });
    },
  };
}

/** The mails that the service prints, by kind and address. */
class Mails {
  #come = new Map();
  #waiting = new Map();
  #name = undefined;
  #text = "";

  read(line) {
    const head = /^Mail to (\S+), in .*Z-(\w+?)-[\w-]+\.eml:$/.exec(line);
    if (head) {
      this.#name = `${head[2]} ${head[1]}`;
      this.#text = "";
    }
    this.#text += `${line}\n`;
    // Its last line.
    if (!this.#name || !line.includes(" sent this to ")) return;
    const mail = {
      code: /^(?:.*code:)? +(\d{6})$/m.exec(this.#text)?.[1],
      proof: /[?&]proof=([\w-]+)/.exec(this.#text)?.[1],
    };
    const take = this.#waiting.get(this.#name);
    this.#waiting.delete(this.#name);
    if (take) take(mail);
    else this.#come.set(this.#name, mail);
    this.#name = undefined;
  }

  async next(kind, address) {
    const name = `${kind} ${address}`;
    const mail = this.#come.get(name);
    this.#come.delete(name);
    return mail ?? new Promise((take) => this.#waiting.set(name, take));
  }
}
