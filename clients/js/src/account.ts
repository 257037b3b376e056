import { RevolveError } from "./problem.js";
import type { KeptSession } from "./store.js";

/**
 * What changes something is meant for the account that was signed in: it is not done for another one.
 *
 * @throws {RevolveError} `account_changed`.
 */
export function checkAccount(before?: KeptSession, now?: KeptSession): void {
  if (before && now && subjectOf(before) !== subjectOf(now)) {
    const message = "Another account has been signed in meanwhile.";
    throw new RevolveError("account_changed", message);
  }
}

/** The account of an ID token: its claim `sub` (RFC 7519 §4.1.2); `undefined` of what is none. */
function subjectOf({ idToken }: KeptSession): unknown {
  const [, claims = ""] = idToken.split(".");
  try {
    return JSON.parse(atob(claims.replace(/-/g, "+").replace(/_/g, "/"))).sub;
  } catch {
    return undefined;
  }
}
