// The mails that the service has written as files (RFC 5322), for those who read them.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const PATIENCE = 30_000;
const read = new Set();

/** The next mail to an address with a link to that page: the link, the code, and what a mail program shows, in HTML. */
export async function mailTo(folder, address, path) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const next = mailsTo(folder, address, path).find(({ file }) => !read.has(file));
    if (next) {
      read.add(next.file);
      return next;
    }
    await pause(50);
  }
  throw new Error(`no mail to ${address} leads to ${path}`);
}

/** All of those that have been written, the oldest first; without a page all mails to the address. */
export function mailsTo(folder, address, path) {
  const found = [];
  for (const name of files(folder)) {
    const file = join(folder, name);
    const mail = readFileSync(file, "utf8");
    const text = isTo(mail, address) ? part(mail, "plain") : "";
    const link = text.match(/https?:\/\/\S+/g)?.find((link) => new URL(link).pathname === path);
    if (text && (link || !path)) {
      const digits = text.match(/(?:^|: )\s*(\d{3})\s?(\d{3})\s*$/m);
      found.push({ file, link, code: digits ? digits[1] + digits[2] : "", html: part(mail, "html") });
    }
  }
  return found;
}

/** Those that are whole, the oldest first. */
function files(folder) {
  const writtenAt = (name) => statSync(join(folder, name), { bigint: true }).mtimeNs;
  try {
    const whole = readdirSync(folder).filter((name) => name.endsWith(".eml"));
    const dated = whole.map((name) => ({ name, at: writtenAt(name) }));
    return dated.sort((one, other) => Number(one.at - other.at)).map(({ name }) => name);
  } catch {
    return [];
  }
}

function isTo(mail, address) {
  const to = mail.match(/^To: (.*)$/m);
  return to?.[1].includes(address) ?? false;
}

/** The text of its part of that kind. */
function part(mail, kind) {
  const boundary = mail.match(/boundary="([^"]+)"/)?.[1];
  const parts = boundary ? mail.split(`--${boundary}`) : [mail];
  const isOfKind = new RegExp(`^content-type: text/${kind}`, "im");
  const part = parts.find((part) => isOfKind.test(part)) ?? mail;
  const [head, ...body] = part.replace(/^\r?\n/, "").split(/\r?\n\r?\n/);
  const text = body.join("\n\n");
  if (/^content-transfer-encoding: base64/im.test(head)) {
    return Buffer.from(text, "base64").toString("utf8");
  }
  if (!/^content-transfer-encoding: quoted-printable/im.test(head)) {
    return text;
  }
  const bytes = text
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}
