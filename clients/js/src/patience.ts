import { RevolveError } from "./problem.js";

/** The first pause, and the longest, in milliseconds. */
const FIRST = 250;
const LONGEST = 4_000;

export const sleep = (time: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, time));

/** The pause before another attempt, in milliseconds: growing, by chance, so that clients do not come back together. */
export const pauseAfter = (attempt: number, retryAfter = 0) =>
  Math.max(
    retryAfter * 1000,
    Math.min(LONGEST, FIRST * 2 ** attempt) * (0.5 + Math.random() / 2),
  );

/** What the work gives, unless it is aborted before; the work goes on. */
export function unlessAborted<T>(
  signal: AbortSignal | null | undefined,
  work: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    work
      .then(resolve, reject)
      .finally(() => signal?.removeEventListener("abort", abort));
  });
}

/** Repeats what fails for now, for `patience` milliseconds; once in any case, since an attempt may take longer than that. */
export async function patiently<T>(
  patience: number,
  work: () => Promise<T>,
): Promise<T> {
  const end = performance.now() + patience;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isTemporary = error instanceof RevolveError && error.isTemporary;
      if (!isTemporary) throw error;
      const pause = pauseAfter(attempt, error.retryAfter);
      const isTooLate = attempt > 0 && performance.now() + pause > end;
      if (isTooLate || pause > patience) throw error;
      await sleep(pause);
    }
  }
}
