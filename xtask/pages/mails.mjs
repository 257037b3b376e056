// The mails that the service has written as files (RFC 5322), for those who read them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const PATIENCE = 30_000;
const read = new Set();

/** The next mail to an address with a link to that page: the link and the code. */
export async function mailTo(folder, address, path) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    for (const name of files(folder)) {
      const file = join(folder, name);
      const mail = readFileSync(file, "utf8");
      if (read.has(file) || !isTo(mail, address)) {
        continue;
      }
      const text = plain(mail);
      const link = text.match(/https?:\/\/\S+/g)?.find((link) => new URL(link).pathname === path);
      if (link) {
        read.add(file);
        const digits = text.match(/^\s*(\d{3})\s?(\d{3})\s*$/m);
        return { link, code: digits ? digits[1] + digits[2] : "" };
      }
    }
    await pause(50);
  }
  throw new Error(`no mail to ${address} leads to ${path}`);
}

/** Those that are whole. */
function files(folder) {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".eml"))
      .sort();
  } catch {
    return [];
  }
}

function isTo(mail, address) {
  const to = mail.match(/^To: (.*)$/m);
  return to?.[1].includes(address) ?? false;
}

/** The text of its plain part. */
function plain(mail) {
  const boundary = mail.match(/boundary="([^"]+)"/)?.[1];
  const parts = boundary ? mail.split(`--${boundary}`) : [mail];
  const part = parts.find((part) => /^content-type: text\/plain/im.test(part)) ?? mail;
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
