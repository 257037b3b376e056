import { unlessAborted } from "./patience.js";
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
      globalThis.document?.baseURI ?? globalThis.location?.href,
    );
    if (!origins.has(url.origin)) {
      throw new TypeError(`${url.origin} is none of this client's origins.`);
    }
    // Of a request that is sent with other members it would be forgotten (Fetch §5.4).
    const referrer = isRequest && {
      referrer: input.referrer,
      referrerPolicy: input.referrerPolicy,
    };
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
      return fetch(target, { ...referrer, ...init, ...more, headers });
    };
    const method = init?.method ?? (isRequest ? input.method : "GET");
    const signal =
      init?.signal === undefined && isRequest ? input.signal : init?.signal;
    const session = await unlessAborted(signal, tokens.fresh(method));
    const response = await send(session);
    if (response.status !== 401 || !session || isStream(init?.body)) {
      return response;
    }
    const met = await unlessAborted(signal, stepUp(response, session, send));
    if (met) return met;
    const renewed = tokens.instead(session, method).catch(() => undefined);
    const next = await unlessAborted(signal, renewed);
    if (!next) return response;
    // It may have broken off.
    await response.body?.cancel().catch(() => {});
    const second = await send(next);
    const answer = stepUp(second, next, send);
    return (await unlessAborted(signal, answer)) ?? second;
  };
}

/** Whether a body can be sent only once. */
function isStream(body: unknown): boolean {
  const stream = Object(body);
  return "getReader" in stream || Symbol.asyncIterator in stream;
}
