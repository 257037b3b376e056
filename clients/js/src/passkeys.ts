// The browser's side of WebAuthn in JSON. It does without `parseCreationOptionsFromJSON()` and `toJSON()`, also where there are some: before 2025 not
// all browsers had them, and password managers that stand in for the browser's own passkeys may lack `toJSON()`. So there is one path for all.

/** JSON of WebAuthn Level 3 §5.1.8 to §5.1.10, as the service has it in `publicKey` and `credential`. */
export type WebAuthnJson = Record<string, unknown>;

/** The ceremony that waits where a form is filled in. Browsers have one at a time, so that another one ends it. */
let waiting: AbortController | undefined;

/** `navigator.credentials` for passkeys. What the user declines rejects with the browser's `DOMException`, a `NotAllowedError`. */
export const passkeys = {
  /** Whether there are passkeys here: not over plain http, but for `localhost`. */
  isAvailable: (): boolean => typeof PublicKeyCredential !== "undefined",

  /** Whether the browser offers passkeys where it fills in forms (`mediation: "conditional"`). */
  canAutofill: async (): Promise<boolean> =>
    passkeys.isAvailable() &&
    !!(await PublicKeyCredential.isConditionalMediationAvailable?.()),

  /**
   * Makes a passkey.
   *
   * @param publicKey `PublicKeyCredentialCreationOptionsJSON`.
   * @returns `RegistrationResponseJSON`, without what browsers derive from the rest.
   */
  create: (
    publicKey: WebAuthnJson,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<WebAuthnJson> => ask("create", publicKey, options),

  /**
   * Asks for a passkey; with `mediation: "conditional"` in the list of an input with `autocomplete="username webauthn"`, until one is chosen, the
   * signal aborts, or another ceremony begins.
   *
   * @param publicKey `PublicKeyCredentialRequestOptionsJSON`.
   * @returns `AuthenticationResponseJSON`.
   */
  get: (
    publicKey: WebAuthnJson,
    options: {
      mediation?: CredentialMediationRequirement | undefined;
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<WebAuthnJson> => ask("get", publicKey, options),
};

async function ask(
  kind: "create" | "get",
  json: WebAuthnJson,
  {
    mediation = "optional",
    signal,
  }: {
    mediation?: CredentialMediationRequirement | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<WebAuthnJson> {
  signal?.throwIfAborted();
  waiting?.abort();
  const end = new AbortController();
  waiting = mediation === "conditional" ? end : undefined;
  const abort = () => end.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    const publicKey = parsed(json);
    const options = { publicKey, signal: end.signal };
    const { credentials } = navigator;
    const made = await (kind === "get"
      ? credentials.get({ ...options, mediation })
      : credentials.create(options));
    return jsonOf(made as PublicKeyCredential);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Options with bytes where the JSON has base64url; what is missing stays so. */
function parsed({
  challenge,
  user,
  excludeCredentials,
  allowCredentials,
  ...rest
}: any): any {
  const withId = (member: { id: string }) => ({
    ...member,
    id: bytesOf(member.id),
  });
  return {
    ...rest,
    challenge: bytesOf(challenge),
    user: user && withId(user),
    excludeCredentials: excludeCredentials?.map(withId),
    allowCredentials: allowCredentials?.map(withId),
  };
}

/** No extension was asked for, so there are no results of any. */
function jsonOf({ id, type, response }: any): WebAuthnJson {
  const json: WebAuthnJson = { transports: response.getTransports?.() };
  for (const name of [
    "clientDataJSON",
    "attestationObject",
    "authenticatorData",
    "signature",
    "userHandle",
  ]) {
    if (response[name]) json[name] = textOf(response[name]);
  }
  return { id, rawId: id, type, clientExtensionResults: {}, response: json };
}

const bytesOf = (base64url: string) =>
  Uint8Array.from(
    atob(base64url.replace(/-/g, "+").replace(/_/g, "/")),
    (character) => character.charCodeAt(0),
  );

const textOf = (bytes: ArrayBuffer) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
