// A browser's `navigator.credentials` with an authenticator in software (WebAuthn Level 3 §6): ES256, without attestation.

import {
  createHash,
  generateKeyPairSync,
  randomBytes,
  sign,
} from "node:crypto";

const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

export class Authenticator {
  /** Whether it makes sure who is there. */
  verifiesUser = true;
  /** Options that it was asked with, in order. */
  asked = [];
  #origin;
  #passkeys = [];

  /** @param origin Of the page that asks. */
  constructor(origin) {
    this.#origin = origin;
  }

  /** Puts it where a browser has its own, for the whole process. */
  install() {
    const navigator = globalThis.navigator ?? {};
    Object.defineProperty(navigator, "credentials", {
      value: this,
      configurable: true,
    });
    globalThis.navigator ??= navigator;
  }

  async create({ publicKey, signal }) {
    this.#ask("create", publicKey, signal);
    const { privateKey, publicKey: key } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
    });
    const passkey = {
      id: randomBytes(16),
      rpId: publicKey.rp.id,
      userHandle: Buffer.from(publicKey.user.id),
      privateKey,
    };
    this.#passkeys.push(passkey);
    const length = Buffer.from([0, passkey.id.length]);
    const { x, y } = key.export({ format: "jwk" });
    const cose = map(
      [number(1), number(2)],
      [number(3), number(-7)],
      [number(-1), number(1)],
      [number(-2), bytes(Buffer.from(x, "base64url"))],
      [number(-3), bytes(Buffer.from(y, "base64url"))],
    );
    const data = [this.#data(passkey, ATTESTED), Buffer.alloc(16), length];
    const attestationObject = map(
      [text("fmt"), text("none")],
      [text("attStmt"), map()],
      [text("authData"), bytes(Buffer.concat([...data, passkey.id, cose]))],
    );
    return credential(passkey, {
      clientDataJSON: this.#clientData("webauthn.create", publicKey),
      attestationObject: bufferOf(attestationObject),
      getTransports: () => ["internal"],
    });
  }

  async get({ publicKey, signal }) {
    this.#ask("get", publicKey, signal);
    const { rpId, allowCredentials } = publicKey;
    const isAllowed = ({ id }) =>
      !allowCredentials?.length ||
      allowCredentials.some((allowed) => isSame(allowed.id, id));
    const passkey = this.#passkeys.findLast(
      (passkey) => passkey.rpId === rpId && isAllowed(passkey),
    );
    if (!passkey) throw new DOMException("none", "NotAllowedError");
    const data = this.#data(passkey, 0);
    const clientDataJSON = this.#clientData("webauthn.get", publicKey);
    const signed = Buffer.concat([data, sha256(Buffer.from(clientDataJSON))]);
    return credential(passkey, {
      clientDataJSON,
      authenticatorData: bufferOf(data),
      signature: bufferOf(sign("sha256", signed, passkey.privateKey)),
      userHandle: bufferOf(passkey.userHandle),
    });
  }

  #ask(kind, publicKey, signal) {
    signal?.throwIfAborted();
    this.asked.push({ kind, publicKey });
  }

  #data({ rpId }, flags) {
    const present = PRESENT | (this.verifiesUser ? VERIFIED : 0);
    return Buffer.concat([
      sha256(rpId),
      Buffer.from([flags | present, 0, 0, 0, 0]),
    ]);
  }

  #clientData(type, { challenge }) {
    const data = {
      type,
      challenge: Buffer.from(challenge).toString("base64url"),
      origin: this.#origin,
      crossOrigin: false,
    };
    return bufferOf(Buffer.from(JSON.stringify(data)));
  }
}

const credential = ({ id }, response) => ({
  id: id.toString("base64url"),
  rawId: bufferOf(id),
  type: "public-key",
  response,
});

const sha256 = (data) => createHash("sha256").update(data).digest();
const bufferOf = (data) => new Uint8Array(data).buffer;
const isSame = (one, other) => Buffer.from(one).equals(other);

/** As much of CBOR (RFC 8949) as it writes. */
function head(major, value) {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
}
const number = (value) => (value < 0 ? head(1, -1 - value) : head(0, value));
const bytes = (data) => Buffer.concat([head(2, data.length), data]);
const text = (value) =>
  Buffer.concat([head(3, value.length), Buffer.from(value)]);
const map = (...entries) =>
  Buffer.concat([head(5, entries.length), ...entries.flat()]);
