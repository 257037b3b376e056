import { bodyOf, dateOf, noAnswer, RevolveError } from "./problem.js";

/** How long an answer may take, in milliseconds. */
const ANSWER = 15_000;

/** How requests to the account API are made: with the service's cookies, and never led elsewhere with their tokens. */
export const REQUEST: RequestInit = {
  credentials: "include",
  redirect: "error",
};

export interface Answer {
  status: number;
  /** `undefined` if there is none. */
  body: unknown;
  /** When the service answered, by its clock in milliseconds; NaN if it does not say. */
  date: number;
}

export interface Service {
  /** Where the account API is; ends with a slash. */
  readonly base: string;
  /** @throws {RevolveError} if there is no answer, and for every answer that is not a 2xx. */
  call(
    method: string,
    path: string,
    headers: HeadersInit,
    body?: object,
  ): Promise<Answer>;
}

export function serviceAt(url: string | URL, fetcher: typeof fetch): Service {
  const root = new URL(url, globalThis.location?.href);
  root.pathname = root.pathname.replace(/\/*$/, "/");
  const base = new URL("api/account/", root).href;
  return {
    base,
    async call(method, path, given, body) {
      const headers = new Headers(given);
      if (body) headers.set("content-type", "application/json");
      const end = new AbortController();
      const timer = setTimeout(() => end.abort(), ANSWER);
      try {
        const response = await fetcher(base + path, {
          ...REQUEST,
          method,
          headers,
          body: body && JSON.stringify(body),
          signal: end.signal,
        });
        return {
          status: response.status,
          body: await bodyOf(response),
          date: dateOf(response),
        };
      } catch (error) {
        throw error instanceof RevolveError ? error : noAnswer(error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
