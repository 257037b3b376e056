// An authenticator app (RFC 6238): SHA-1, six digits, 30 seconds.

import { createHmac } from "node:crypto";

const STEP = 30_000;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code of an `otpauth:` URI in so many steps from now; a service takes those of its own step and the ones beside it. */
export function codeOf(uri, steps = 0) {
  const secret = new URL(uri).searchParams.get("secret");
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP) + steps));
  const mac = createHmac("sha1", decoded(secret)).update(message).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return `${number % 1_000_000}`.padStart(6, "0");
}

/** Base 32 (RFC 4648 §6), without padding. */
function decoded(text) {
  const bits = [...text].map((character) =>
    ALPHABET.indexOf(character).toString(2).padStart(5, "0"),
  );
  const bytes = bits.join("").match(/.{8}/g);
  return Buffer.from(bytes.map((byte) => parseInt(byte, 2)));
}
