// Passkeys in the forms of pages (WebAuthn Level 3): asks the browser for one, and sends it with the form. Without scripts the button stays hidden.

const part = document.querySelector("[data-passkey]");
const form = part?.closest("form");
const isNew = part?.dataset.passkey === "create";

/** How long a challenge for autofill is used, in milliseconds: less than the service keeps it. */
const FRESH = 240_000;
let freshUntil = Infinity;
let pending = new AbortController();

const toBase64 = (text) => text.replace(/-/g, "+").replace(/_/g, "/");
const bytes = (text) => Uint8Array.from(atob(toBase64(text)), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

/** `parseCreationOptionsFromJSON()` and `parseRequestOptionsFromJSON()`, also where the browser lacks them. */
function parsed(options) {
  const name = isNew ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (PublicKeyCredential[name]) {
    return PublicKeyCredential[name](options);
  }
  const ids = (list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));
  const known = isNew ? { excludeCredentials: ids(options.excludeCredentials) } : { allowCredentials: ids(options.allowCredentials) };
  const user = options.user && { ...options.user, id: bytes(options.user.id) };
  return { ...options, ...known, user, challenge: bytes(options.challenge) };
}

/** `toJSON()`, also where the browser lacks it. */
function written(credential) {
  if (credential.toJSON) {
    return credential.toJSON();
  }
  const { id, rawId, type, authenticatorAttachment, response } = credential;
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const members = names.filter((name) => response[name]).map((name) => [name, text(response[name])]);
  const transports = response.getTransports?.();
  return {
    id,
    rawId: text(rawId),
    type,
    ...(authenticatorAttachment && { authenticatorAttachment }),
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...Object.fromEntries(members), ...(transports && { transports }) },
  };
}

/** The challenge: that of the form, or a new one. */
async function begun() {
  const given = form.elements.namedItem("options");
  if (given) {
    return JSON.parse(given.value);
  }
  const body = JSON.stringify("email" in part.dataset ? { email: form.elements.namedItem("email").value } : {});
  const answer = await fetch(part.dataset.from, { method: "POST", headers: { "content-type": "application/json" }, body });
  if (answer.status === 403) {
    // What was shown before counts no more: the page leads to where it is shown again.
    location.assign(form.action);
    return new Promise(() => {});
  }
  if (!answer.ok) {
    throw new Error(`no challenge: ${answer.status}`);
  }
  return answer.json();
}

/** Puts the answer into the form, and sends it. */
function send(members) {
  for (const [name, value] of Object.entries(members)) {
    const field = form.elements.namedItem(name) ?? form.appendChild(document.createElement("input"));
    Object.assign(field, { type: "hidden", name, value });
  }
  form.submit();
}

async function ask(how) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  const { challenge, publicKey } = await begun();
  const options = { ...how, publicKey: parsed(publicKey), signal };
  const credential = await (isNew ? navigator.credentials.create(options) : navigator.credentials.get(options));
  send({ challenge, credential: JSON.stringify(written(credential)) });
}

/** Offers passkeys where the browser fills in the address. */
async function autofill() {
  if ("autofill" in part.dataset && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    freshUntil = Date.now() + FRESH;
    ask({ mediation: "conditional" }).catch(() => {});
  }
}

async function press() {
  const alert = part.querySelector("[role=alert]");
  alert.textContent = "";
  if ("email" in part.dataset && !form.elements.namedItem("email").reportValidity()) {
    return;
  }
  try {
    await ask({});
  } catch (error) {
    if (error.name !== "AbortError") {
      const { known, failed } = part.dataset;
      alert.textContent = error.name === "InvalidStateError" ? known : failed;
      autofill();
    }
  }
}

if (form && window.PublicKeyCredential) {
  part.hidden = false;
  part.querySelector("button").addEventListener("click", press);
  const renew = () => !document.hidden && Date.now() > freshUntil && autofill();
  document.addEventListener("visibilitychange", renew);
  form.addEventListener("focusin", renew);
  autofill();
}
