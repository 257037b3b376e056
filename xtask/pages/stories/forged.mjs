// Forged requests: pages of somebody else try to use the browser of somebody who is signed in. The forger knows all that a form asks for, the
// password included, so that nothing but where a request comes from keeps it from being carried out.

import assert from "node:assert/strict";
import { load, sendAsAClient, sendBlindly, sendFormInPlace, sendForms, sendFormsFromNowhere } from "./attacks.mjs";
import { frontEnd } from "./fronts.mjs";
import { NEW, PASSWORD, address } from "./visitor.mjs";

const EVERY_KIND = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
/** Answered alike whoever asks: a token that may be no one's, and a challenge that is for nobody, which others can't read. */
const ALWAYS_FINE = ["/oauth/revoke", "/api/account/signin/passkey/options"];
/** It takes an operator's key, which no browser has, and makes browsers ask for it in a dialog that nobody answers here. */
const WITH_KEY = "/oauth/introspect";

export const stories = {
  async "forged requests change nothing"(story) {
    const { visitor, world } = story;
    const [ann, eve] = [await visitor(), await visitor()];
    const people = { victim: await begins(ann, world), thief: await eve.signUp() };
    const { forms, pages, operations } = await targets(world, people);
    const before = await state(ann, people);
    const since = world.gate.exchanges.length;
    let planned = 0;
    const tab = await ann.context.newPage();
    /** Plays an attack that sends so many requests, at least; if not those of forms, then of that kind (Fetch Standard, "destination"). */
    const attack = async (what, origin, count, code, input, kind) => {
      const from = world.gate.exchanges.length;
      await tab.goto(`${origin}/`);
      const won = await tab.evaluate(code, input);
      const isOfIt = (exchange) =>
        ann.hasSent(exchange) && (kind ? exchange.headers["sec-fetch-dest"] === kind : exchange.method === "POST");
      await world.gate.until(`${what} from ${origin}`, isOfIt, { count, since: from });
      await world.gate.quiet(from);
      assert.deepEqual(won ?? [], [], `${what} from ${origin} could read`);
      const shown = tab.frames().map((frame) => frame.url());
      assert.deepEqual(shown.filter((url) => url.startsWith(world.url)), [], `${what} from ${origin} could show`);
      assert.deepEqual(await state(ann, people), before, `${what} from ${origin}`);
      planned += kind ? 0 : count;
    };
    const simple = forms.filter(({ enctype }) => enctype === EVERY_KIND[0]);
    const ours = simple.filter(({ url }) => url.startsWith(`${world.url}/account`));
    const code = sendForms.toString();
    for (const origin of origins(world)) {
      // Only from a sibling host come all cookies, so that is where everything is tried. To the pages a listed front end is a stranger, too.
      const isSibling = origin === world.strangers.sibling;
      const sent = isSibling ? simple : ours;
      await attack("forms", origin, isSibling ? forms.length : sent.length, sendForms, isSibling ? forms : sent);
      await attack("forms of a sandbox", origin, sent.length, sendFormsFromNowhere, { forms: sent, kind: "sandbox", code });
      await attack("forms of a data: URL", origin, ours.length, sendFormsFromNowhere, { forms: ours, kind: "data", code });
      await attack("blind scripts", origin, 4 * sent.length, sendBlindly, sent);
      await attack("scripts with headers", origin, 0, sendAsAClient, sent);
      const loaded = isSibling ? [...pages, ...operations] : pages;
      await attack("what pages load", origin, loaded.length, load, loaded, "iframe");
    }
    for (const form of ours) {
      await tab.goto(`${world.strangers.elsewhere}/`);
      await Promise.all([tab.waitForNavigation(), tab.evaluate(sendFormInPlace, form)]);
      assert.deepEqual(await state(ann, people), before, `a form to ${form.url} in place of the page`);
    }
    await tab.close();
    const forged = world.gate.exchanges.slice(since).filter((exchange) => ann.hasSent(exchange) && exchange.method === "POST");
    assert.ok(forged.length >= planned + ours.length, `${forged.length} of ${planned}`);
    const from = new Set(forged.map(({ headers }) => headers.origin));
    assert.deepEqual([...from].sort(), ["null", ...origins(world)].sort());
    const known = forged.filter(({ headers }) => /revolve-refresh-.*revolve-id-/.test(headers.cookie));
    assert.ok(known.length > 200, `${known.length} with the cookies of the session`);
    const isRefused = ({ status, path }) => (status >= 400 && status < 500) || ALWAYS_FINE.includes(path);
    const accepted = forged.filter((exchange) => !isRefused(exchange));
    assert.deepEqual(accepted.map(({ path, headers, status }) => [path, headers.origin, status]), []);
    await ann.isSignedIn(people.victim);
    story.note(`${forged.length} forged requests to ${simple.length} pages and operations, ${known.length} with the session's cookies: 0 accepted`);
  },
};

/** Another site, a sibling host, another port of the same host, and a front end that is listed. */
const origins = ({ strangers, fronts }) => [strangers.elsewhere, strangers.sibling, strangers.port, fronts.app];

/** Somebody who is signed in to the pages, at a front end, and on a phone. */
async function begins(visitor, world) {
  const email = await visitor.signUp();
  const front = await frontEnd(visitor, `${world.fronts.app}/`, world.url);
  await front.signIn(email);
  await front.page.close();
  return email;
}

/** All that must be as it was: both accounts, the mails to them, and what the browser keeps. */
async function state({ context, world }, people) {
  const accounts = await Promise.all(Object.values(people).map((email) => world.account(email)));
  const mails = await Promise.all(Object.values(people).map((email) => world.mailsTo(email)));
  const cookies = await context.cookies(world.url);
  return { accounts, mails, cookies: cookies.map(({ name, value }) => `${name}=${value}`).sort() };
}

/** What is asked for: every form of a page, and every operation of the API, in each kind that a form can have. */
async function targets(world, { victim, thief }) {
  const { link, code } = await recovery(world, thief);
  const proof = { proof: new URL(link).searchParams.get("proof"), code };
  const chosen = { ...proof, newPassword: NEW };
  const now = { currentPassword: PASSWORD };
  const pages = {
    "": {},
    "/profile": { name: "Eve" },
    "/profile/email": { email: thief.replace("@", "-new@"), ...now },
    "/password": { ...now, newPassword: NEW },
    "/reauthenticate": { ...now, way: "currentPassword" },
    "/reauthenticate/options": {},
    "/security": {},
    "/security/app": { totp: code },
    "/security/passkey": { name: "Eve" },
    "/security/passkey/options": {},
    "/security/codes": {},
    "/security/rename": { passkey: proof.proof, name: "Eve" },
    "/security/remove": {},
    "/devices": { scope: "everywhere" },
    "/export": now,
    "/delete": now,
    "/signout": {},
    "/signin": { email: thief, password: PASSWORD },
    "/signin/factor": { challenge: proof.proof, totp: code },
    "/signin/code": { email: victim },
    "/signup": { email: address(), password: PASSWORD },
    "/signup/confirm": proof,
    "/recovery": chosen,
    "/password/choose": chosen,
    "/email/confirm": proof,
    "/email/change": proof,
    "/email/undo": chosen,
    "/email/disown": proof,
  };
  const [session] = (await world.account(victim)).sessions;
  const described = JSON.parse((await world.gate.forward({ method: "GET", path: "/openapi.json", headers: {} })).body);
  const paths = Object.keys(described.paths).filter((path) => /^\/(api|oauth|userinfo)/.test(path) && path !== WITH_KEY);
  const every = { email: thief, password: PASSWORD, ...now, ...chosen, scope: "everywhere", name: "Eve" };
  const all = [
    ...Object.entries(pages).map(([path, fields]) => [`/account${path}`, fields]),
    ...paths.map((path) => [path.replace("{sid}", session.id), every]),
  ];
  const forms = all.flatMap(([path, fields]) =>
    EVERY_KIND.map((enctype) => {
      const sent = enctype === "text/plain" ? asJson(fields) : fields;
      return { url: `${world.url}${path}`, method: "post", enctype, fields: sent };
    }),
  );
  const reads = Object.keys(pages).map((path) => `${world.url}/account${path}`);
  const operations = paths.filter((path) => path.startsWith("/api/")).map((path) => `${world.url}${path}`);
  return { forms, pages: [...reads, `${world.url}/account/activity`], operations };
}

/** A field whose name and value, with the `=` that a form of plain text puts between them, are a document in JSON. */
function asJson(fields) {
  const text = JSON.stringify({ ...fields, a: "" });
  return { [text.slice(0, -2)]: '"}' };
}

async function recovery(world, email) {
  const form = new URLSearchParams({ email }).toString();
  const headers = { host: new URL(world.url).host, origin: world.url, "content-type": EVERY_KIND[0] };
  await world.gate.forward({ method: "POST", path: "/account/recovery", headers, body: form });
  return world.mail(email, "/account/recovery");
}
