// Whether a secret was said where others could read it: in a page, in an address, in a referrer, or in the service's log.

import { NEW, NEWEST, PASSWORD } from "./visitor.mjs";

const PASSWORDS = [PASSWORD, NEW, NEWEST].flatMap((password) => [
  password,
  password.replaceAll(" ", "+"),
  encodeURIComponent(password),
]);
const JWT = /eyJ[\w-]+\.[\w-]+\.([\w-]+)/g;
/** Long enough to be no word of a language. */
const WORD = /[\w-]{20,}/g;

/** Everything that was said in a world: where a secret was found, each place once, and how many secrets and places there were. */
export function search({ gate, fronts, strangers, service }) {
  const secrets = secretsOf(gate.exchanges);
  const places = [
    ["the log", service.log()],
    ...gate.exchanges.flatMap(placesOf),
    ...[fronts.site, strangers.site].flatMap(({ exchanges }) => exchanges.flatMap(requestOf)),
  ];
  const found = places.flatMap(([place, text]) => {
    const words = (text.match(WORD) ?? []).filter((word) => secrets.has(word) && !secrets.get(word).may(place));
    const passwords = PASSWORDS.filter((password) => text.includes(password));
    return [...words.map((word) => `${secrets.get(word).kind} in ${place}`), ...passwords.map(() => `a password in ${place}`)];
  });
  return { found: [...new Set(found)], secrets: secrets.size, places: places.length };
}

/** The tokens that were handed out, and the secrets of links. Of a JWT it is the signature: the rest may be of others, too, and is no token. */
function secretsOf(exchanges) {
  const secrets = new Map();
  const add = (kind, text, may = () => false) => {
    for (const [word] of text.replace(JWT, "$1").matchAll(WORD)) {
      secrets.set(word, { kind, may });
    }
  };
  for (const { path, answer } of exchanges) {
    for (const line of answer?.headers["set-cookie"] ?? []) {
      const [, kind, value] = /^(?:__Host-)?revolve-(\w+)[^=]*=([^;]*)/.exec(line);
      add(`the ${kind} cookie`, value);
    }
    const tokens = /^\{/.test(answer?.body ?? "") ? JSON.parse(answer.body).tokens : undefined;
    // Front ends get it for themselves.
    add("an ID token", tokens?.idToken ?? "", (place) => place.startsWith("JSON of /api/account/"));
    const secret = new URLSearchParams(path.split("?")[1]).get("secret");
    // It is how mails lead to a page, which asks for it once more.
    const page = path.split("?")[0];
    add("the secret of a link", secret ?? "", (place) => [`the address of ${page}`, `HTML of ${page}`].includes(place));
  }
  return secrets;
}

function placesOf(exchange) {
  const { path, answer } = exchange;
  const page = path.split("?")[0];
  const type = /json/.test(answer?.headers["content-type"]) ? "JSON" : "HTML";
  return [
    ...requestOf(exchange),
    [`${type} of ${page}`, answer?.body ?? ""],
    [`where ${page} leads`, String(answer?.headers.location ?? "")],
  ];
}

const requestOf = ({ path, headers }) => [
  [`the address of ${path.split("?")[0]}`, path],
  [`the referrer of a request for ${path.split("?")[0]}`, headers.referer ?? ""],
];
