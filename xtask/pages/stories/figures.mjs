// How large the pages are, and how soon they begin to come.

import { once } from "node:events";
import { Agent, request as send } from "node:http";
import { startService } from "./service.mjs";
import { PASSWORD } from "./visitor.mjs";

const TIMES = 200;
const LARGEST = 30 * 1024;
const GOAL = 5;
const ISSUER = "http://localhost:8080";
const PROOF = "proof=5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51&secret=x";
const SIGNED_OUT = [
  "/account/signin",
  "/account/signin/code",
  "/account/signup",
  `/account/signup/confirm?${PROOF}`,
  "/account/recovery",
  `/account/recovery?${PROOF}`,
  `/account/password/choose?${PROOF}`,
  `/account/email/confirm?${PROOF}`,
  `/account/email/change?${PROOF}`,
  `/account/email/undo?${PROOF}`,
  `/account/email/disown?${PROOF}`,
];
const SIGNED_IN = ["", "/profile", "/password", "/security", "/reauthenticate", "/devices", "/activity", "/export", "/delete", "/signout"];

/** Measures each page over one connection that is kept: `{ path, size, median, is }` of each, in bytes and milliseconds. */
export async function measure(binary) {
  const service = await startService(binary, { TOKENS__ISSUER: ISSUER, LOG__LEVEL: "warn" });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const connection = { agent, service: new URL(service.url), cookie: "" };
  const rows = [];
  for (const path of SIGNED_OUT) {
    rows.push(await row(connection, path));
  }
  await signUp(connection);
  for (const page of SIGNED_IN) {
    rows.push(await row(connection, `/account${page}`));
  }
  agent.destroy();
  await service.stop();
  return rows;
}

/** The lines of a table, and what is wrong with it. */
export function told(rows) {
  const lines = rows.map(({ path, size, median }) => {
    const late = median > GOAL ? `  more than ${GOAL} ms` : "";
    return `  ${path.split("?")[0].padEnd(26)} ${(size / 1024).toFixed(1).padStart(5)} KiB ${median.toFixed(2).padStart(6)} ms${late}`;
  });
  const wrong = rows.filter(({ size }) => size > LARGEST).map(({ path, size }) => `${path} has ${size} bytes with its assets`);
  return { lines: ["pages with their assets, and the median time to the first byte:", ...lines], wrong };
}

async function row(connection, path) {
  const page = await get(connection, path);
  if (page.status !== 200) {
    throw new Error(`${path} answers ${page.status}`);
  }
  const assets = [...page.body.matchAll(/<(?:link rel="stylesheet"|script type="module"|img)[^>]*? (?:href|src)="([^"]+)"/g)];
  let size = Buffer.byteLength(page.body);
  for (const [, url] of assets) {
    size += Buffer.byteLength((await get(connection, url)).body);
  }
  const times = [];
  for (let time = 0; time < TIMES; time += 1) {
    times.push((await get(connection, path)).time);
  }
  times.sort((one, other) => one - other);
  return { path, size, median: times[TIMES / 2] };
}

async function get(connection, path, method = "GET", body = "") {
  const { agent, service, cookie } = connection;
  const headers = { origin: ISSUER, cookie, "content-type": "application/x-www-form-urlencoded" };
  const began = performance.now();
  const request = send({ host: service.hostname, port: service.port, path, method, headers, agent });
  request.end(body);
  const [answer] = await once(request, "response");
  const time = performance.now() - began;
  const said = Buffer.concat(await answer.toArray()).toString();
  return { status: answer.statusCode, headers: answer.headers, body: said, time };
}

async function signUp(connection) {
  const form = new URLSearchParams({ email: "ann@example.org", password: PASSWORD }).toString();
  const { headers } = await get(connection, "/account/signup", "POST", form);
  connection.cookie = headers["set-cookie"].map((line) => line.split(";")[0]).join("; ");
}
