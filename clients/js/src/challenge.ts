import { inTurn } from "./exclusive.js";
import type { KeptSession } from "./store.js";
import type { Tokens } from "./tokens.js";

/** What a service requires of the authentication of its user (RFC 9470 §3). */
export interface AuthenticationChallenge {
  /** It may be so many seconds ago. */
  maxAge?: number;
  /**
   * One of these is required, the first one preferably. For services with `revolve-verify` they are methods, such as `mfa`, or several with a
   * `+` between that are required together. Empty if any will do.
   */
  acrValues: string[];
}

/** Asks the user and calls `client.reauthenticate`, or does not if the user declines. */
export type Reauthenticator = (
  challenge: AuthenticationChallenge,
) => Promise<unknown>;

/**
 * What to answer in place of a 401: that of the request sent once more if the answer was a challenge that was met, the answer itself if it was
 * not met, `undefined` if it was none.
 */
export type StepUp = (
  answer: Response,
  sent: KeptSession,
  send: (session: KeptSession) => Promise<Response>,
) => Promise<Response | undefined>;

const CODE = "insufficient_user_authentication";

export function stepUp(
  tokens: Tokens,
  reauthenticate?: Reauthenticator,
): StepUp {
  const oneByOne = inTurn();
  let asked = 0;
  const meet: StepUp = async (answer, sent, send) => {
    const challenge = await challengeOf(answer);
    if (!challenge) return undefined;
    if (!reauthenticate) return answer;
    const before = asked;
    let isLast = false;
    const next = await oneByOne(async () => {
      const kept = await tokens.kept();
      // What another request has asked the user meanwhile is not asked again, whatever the user did.
      if (kept?.idToken !== sent.idToken || asked !== before) return kept;
      isLast = true;
      try {
        await reauthenticate(challenge);
      } finally {
        asked++;
      }
      return tokens.kept();
    });
    const isSame = next?.session.id === sent.session.id;
    if (!isSame || next.idToken === sent.idToken) return answer;
    await answer.body?.cancel().catch(() => {});
    const second = await send(next);
    return isLast ? second : ((await meet(second, next, send)) ?? second);
  };
  return meet;
}

/** Scripts of another origin read the challenge in the body, unless the service exposes `WWW-Authenticate` to them. */
async function challengeOf(
  answer: Response,
): Promise<AuthenticationChallenge | undefined> {
  const { status, headers } = answer;
  if (status !== 401) return undefined;
  const field = headers.get("www-authenticate") ?? "";
  const parameter = (name: string) =>
    RegExp(`[\\s,]${name}\\s*=\\s*"?([^",]*)`, "i").exec(field)?.[1];
  let [code, maxAge, acrValues]: unknown[] = [
    parameter("error"),
    parameter("max_age"),
    parameter("acr_values"),
  ];
  if (code !== CODE && headers.get("content-type")?.includes("problem+json")) {
    const problem = answer.clone().json();
    ({ code, maxAge, acrValues } = (await problem.catch(() => {})) ?? {});
  }
  if (code !== CODE) return undefined;
  const seconds = parseInt(`${maxAge}`);
  return {
    ...(seconds >= 0 && { maxAge: seconds }),
    acrValues: `${acrValues ?? ""}`.match(/[^\s,]+/g) ?? [],
  };
}
