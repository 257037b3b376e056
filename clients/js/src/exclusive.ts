import { sleep } from "./patience.js";
import type { State, TokenStore } from "./store.js";

/** Runs work while no other tab or worker does. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * How long to wait for the others, in milliseconds: longer than a refresh takes. Then the work begins all the same, since the holder
 * may sleep; the service gives two who refresh at once the same successor.
 */
const WAIT = 20_000;
/** How often a lease is looked at, in milliseconds, unless its holder says that it is released. */
const LOOK = 250;

/** One after the other within this client. */
export function inTurn(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}

/** One after the other among all tabs and workers of the origin: by Web Locks, or by a lease in the store where there are none. */
export function acrossTabs(name: string, lease: Lease): Exclusive {
  const alone = inTurn();
  return (work) =>
    alone(async () => {
      const locks = globalThis.navigator?.locks;
      if (locks) {
        let working: ReturnType<typeof work> | undefined;
        const begin = () => (working = work());
        try {
          const signal = AbortSignal.timeout(WAIT);
          return await locks.request(name, { signal }, begin);
        } catch {
          // It failed, or the lock was stolen from it.
          if (working) return working;
          // Not granted in time, or forbidden to this page.
        }
      }
      await lease.take();
      try {
        return await work();
      } finally {
        await lease.release();
      }
    });
}

export interface Lease {
  take(): Promise<void>;
  release(): Promise<void>;
  /** Another one has released it. */
  look(): void;
}

export function leaseIn(
  store: TokenStore,
  now: () => number,
  released: () => void,
): Lease {
  const me = Math.random().toString(36).slice(2);
  let wake = () => {};
  return {
    async take() {
      for (let looks = 0; looks * LOOK < WAIT; looks++) {
        const state = await store.update((state) => {
          const { by, until } = state.lease ?? { by: me, until: 0 };
          const left = until - now();
          // More is left only if the clock was put back.
          const isHeld = by !== me && 0 < left && left <= WAIT;
          return isHeld
            ? state
            : { ...state, lease: { by: me, until: now() + WAIT } };
        });
        if (state.lease?.by === me) return;
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([woken, sleep(LOOK)]);
      }
    },
    async release() {
      const free = (state: State) => {
        if (state.lease?.by !== me) return state;
        const { lease: _, ...rest } = state;
        return rest;
      };
      // A lease that can't be given back expires.
      await store.update(free).catch(() => {});
      released();
    },
    look: () => wake(),
  };
}
