import { REQUEST, type Service } from "./service.js";
import type { StepUp } from "./challenge.js";
import type { KeptSession } from "./store.js";
import type { Tokens } from "./tokens.js";

export type Fetch = typeof globalThis.fetch;

export interface FetchOptions {
  service: Service;
  tokens: Tokens;
  /** To these alone ID tokens are sent. */
  origins: ReadonlySet<string>;
  /** What calls of the account API have. */
  headers: (session?: KeptSession) => Headers;
  /** Answers challenges. */
  stepUp: StepUp;
  fetch: Fetch;
}

/**
 * `fetch` with a fresh ID token, which refreshes once after a 401 and sends the request once more; after a challenge, once the user has
 * reauthenticated.
 */
export function authorizedFetch(options: FetchOptions): Fetch {
  const { service, tokens, origins, stepUp, fetch } = options;
  return async (input, init) => {
    const isRequest = input instanceof Request;
    const url = new URL(
      isRequest ? input.url : input,
      globalThis.location?.href,
    );
    if (!origins.has(url.origin)) {
      throw new TypeError(`${url.origin} is none of this client's origins.`);
    }
    const isService = url.href.startsWith(service.base);
    const send = (session?: KeptSession) => {
      const headers = new Headers(
        init?.headers ?? (isRequest ? input.headers : undefined),
      );
      if (isService) {
        options.headers(session).forEach((value, name) => {
          headers.set(name, value);
        });
      } else if (session) {
        headers.set("authorization", `Bearer ${session.idToken}`);
      }
      const more = isService ? REQUEST : undefined;
      // A copy of a request, which can be sent once.
      const target = isRequest ? input.clone() : url;
      return fetch(target, { ...init, ...more, headers });
    };
    const session = await tokens.fresh();
    const response = await send(session);
    if (response.status !== 401 || !session || isStream(init?.body)) {
      return response;
    }
    const met = await stepUp(response, session, send);
    if (met) return met;
    const next = await tokens.renewed(session.idToken).catch(() => undefined);
    if (!next) return response;
    await response.body?.cancel();
    const second = await send(next);
    return (await stepUp(second, next, send)) ?? second;
  };
}

/** Whether a body can be sent only once. */
function isStream(body: unknown): boolean {
  const stream = Object(body);
  return "getReader" in stream || Symbol.asyncIterator in stream;
}
