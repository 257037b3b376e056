// A service with its front ends and its enemies. All hosts are names of this machine: `localhost` is a top-level domain to browsers, so
// `accounts.example.localhost` and `app.example.localhost` are one site, and `evil.localhost` is another.

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { mailsTo } from "../mails.mjs";
import { BLANK, Gate, Site } from "./gate.mjs";
import { startService } from "./service.mjs";

const HOST = "accounts.example.localhost";
const SCOPES = "users:read,users:write,sessions:write,events:read,deliveries:read";
const PATIENCE = 15_000;

/** Starts all of it; `settings` are further ones of the service (`SECTION__KEY`). */
export async function openWorld({ binary, client, settings = {} }) {
  const script = { type: "text/javascript", body: readFileSync(client) };
  const [gate, fronts, strangers] = await Promise.all([
    new Gate({ "/front/": BLANK, "/front/client.js": script }).open(),
    new Site({ "/": BLANK, "/client.js": script }).open(),
    new Site({ "/": BLANK }).open(),
  ]);
  const at = (host, { port }) => `http://${host}:${port}`;
  const url = at(HOST, gate);
  const app = at("app.example.localhost", fronts);
  const shop = at("shop.example.localhost", fronts);
  const service = await startService(binary, {
    TOKENS__ISSUER: url,
    HTTP__CORS_ORIGINS: `${app},${shop}`,
    HTTP__RETURN_TO: app,
    LOG__LEVEL: "trace,h2=info",
    TOKENS__ALGORITHM: "ES256",
    ...settings,
  });
  gate.leadTo(service.url);
  const made = await service.command("api-keys", "create", "--json", "--name", "stories", "--scopes", SCOPES);
  const { key } = JSON.parse(made);
  /** What an operator is told, or does. */
  const operator = async (path, init) => {
    const answer = await fetch(`${service.admin}${path}`, { ...init, headers: { authorization: `Bearer ${key}` } });
    if (!answer.ok) {
      throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    }
    return answer.status === 204 ? undefined : answer.json();
  };
  /** Waits until no mail is under way to an address. */
  const delivered = async (email) => {
    const end = Date.now() + PATIENCE;
    const isUnderWay = async () => (await operator("/deliveries?limit=200")).deliveries.some(({ to }) => to === email);
    while (await isUnderWay()) {
      if (Date.now() > end) {
        throw new Error(`a mail to ${email} is under way for too long`);
      }
      await pause(20);
    }
  };
  const find = async (email) => (await operator(`/users?email=${encodeURIComponent(email)}`)).users[0];
  return {
    url,
    gate,
    service,
    fronts: { app, shop, own: `${url}/front/`, site: fronts },
    /** Another site, and two origins of the service's own: a sibling host, and another port of the same host. */
    strangers: {
      elsewhere: at("evil.localhost", strangers),
      sibling: at("evil.example.localhost", strangers),
      port: at(HOST, strangers),
      site: strangers,
    },
    /** The newest mail to an address that leads to that page, once none is under way to that address. */
    async mail(email, path) {
      const mail = (await this.mailsOf(email, path)).at(-1);
      if (!mail) {
        throw new Error(`no mail to ${email} leads to ${path}`);
      }
      return mail;
    },
    /** All of those, of one proof or of any; the one that was written last is the last. */
    async mailsOf(email, path, proof = "") {
      await delivered(email);
      return mailsTo(service.mails, email, path).filter(({ link }) => link.includes(proof));
    },
    /** How many mails have been sent to an address. */
    async mailsTo(email) {
      await delivered(email);
      return mailsTo(service.mails, email).length;
    },
    /** All that is known of an account; `undefined` if there is none. */
    async account(email) {
      const user = await find(email);
      if (!user) {
        return undefined;
      }
      const [{ sessions }, { entries }] = await Promise.all([
        operator(`/users/${user.uid}/sessions?live=true`),
        operator(`/events?user=${user.uid}&limit=200`),
      ]);
      return { user, sessions, events: entries.map(({ event }) => event).reverse() };
    },
    /** Ends all sessions of an account. */
    async signOut(email) {
      await operator(`/users/${(await find(email)).uid}/sign-out`, { method: "POST" });
    },
    /** A link with which an operator lets an account's owner choose a password. */
    async recoveryLink(email) {
      const { link } = await operator(`/users/${(await find(email)).uid}/recovery-link`, { method: "POST" });
      return link;
    },
    async close() {
      for (const site of [gate, fronts, strangers]) {
        site.close();
      }
      await service.stop();
    },
  };
}
