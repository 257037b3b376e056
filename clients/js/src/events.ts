import type { Session } from "./api.js";

/** What a client tells, with what the listener gets. Other tabs' and workers' are told, too. */
export interface ClientEvents {
  "signed-in": Session;
  /** Why: `sign_out`, `account_deleted`, or the code with which the service refused the session, such as `session_revoked`. */
  "signed-out": string;
  refreshed: Session;
}

/** Says that something has happened. */
export type Tell = <E extends keyof ClientEvents>(
  event: E,
  detail: ClientEvents[E],
) => void;

type Listener<E extends keyof ClientEvents> = (detail: ClientEvents[E]) => void;

export class Events {
  readonly #listeners = new Map<string, Set<Listener<never>>>();

  /** Returns what takes the listener away. */
  on<E extends keyof ClientEvents>(
    event: E,
    listener: Listener<E>,
  ): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** A listener that throws is reported as an uncaught error, and nothing else fails for it. */
  readonly emit: Tell = (event, detail) => {
    const listeners = this.#listeners.get(event);
    for (const listener of listeners ?? []) {
      queueMicrotask(() => {
        if (listeners?.has(listener)) listener(detail as never);
      });
    }
  };
}
