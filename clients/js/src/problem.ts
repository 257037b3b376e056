import type { FieldProblem, Problem, ProblemCode } from "./api.js";

/**
 * What the client itself has to say:
 *
 * - `no_answer`: the network failed, or the answer took too long;
 * - `unexpected_answer`: something else than the service answered, such as a proxy;
 * - `storage_failed`: the browser could not keep the tokens;
 * - `account_changed`: somebody else has signed in meanwhile, so what was to be changed was not.
 */
export type ClientCode =
  "no_answer" | "unexpected_answer" | "storage_failed" | "account_changed";

/** What an error says beside its code. */
export interface ErrorDetails {
  /** The status of the answer; 0 without one. */
  status?: number;
  problem?: Problem;
  /** Seconds. */
  retryAfter?: number;
  cause?: unknown;
}

/** Why a call failed. Nothing that the client keeps was cleared for it. */
export class RevolveError extends Error {
  override readonly name = "RevolveError";
  /** For programs: stable. The service may have codes that this release does not know. */
  readonly code: ProblemCode | ClientCode | (string & {});
  /** The status of the answer; 0 without one. */
  readonly status: number;
  /** What is wrong with which field, for `invalid_fields`. */
  readonly fields: readonly FieldProblem[];
  /** In so many seconds it makes sense to try again, if the service says so. */
  readonly retryAfter: number | undefined;
  /** The whole problem document (RFC 9457), if the service answered one. */
  readonly problem: Problem | undefined;

  constructor(
    code: RevolveError["code"],
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status ?? 0;
    this.problem = details.problem;
    this.fields = details.problem?.errors ?? [];
    this.retryAfter = details.retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isTemporary(): boolean {
    return (
      this.code === "no_answer" ||
      this.status === 408 ||
      this.status === 429 ||
      this.status >= 500
    );
  }

  /** Whether the service itself says that what was sent is not valid: a proxy's 401 says nothing about a token. */
  get isRefusal(): boolean {
    return this.status === 401 && this.problem !== undefined;
  }
}

/**
 * The body of an answer of the service, `undefined` if it has none.
 *
 * @throws {RevolveError} for problems, and for answers of somebody else.
 */
export async function bodyOf(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (cause) {
    throw noAnswer(cause);
  }
  let body: unknown;
  try {
    body = text ? JSON.parse(text) : undefined;
  } catch {
    // Not ours; judged below.
  }
  const { status } = response;
  if (response.ok && (body || !text)) return body;
  const retryAfter = secondsOf(
    response.headers.get("retry-after"),
    dateOf(response) || Date.now(),
  );
  if (!response.ok && isProblem(body)) {
    const details = { status, problem: body, retryAfter };
    throw new RevolveError(body.code, body.detail, details);
  }
  throw new RevolveError(
    "unexpected_answer",
    `The answer (${status}) is not one of the service.`,
    { status, retryAfter },
  );
}

/** When it was answered, by the service's clock in milliseconds; NaN if it does not say. */
export const dateOf = ({ headers }: Response) =>
  Date.parse(headers.get("date") ?? "");

export function noAnswer(cause: unknown): RevolveError {
  return new RevolveError("no_answer", "There is no answer.", { cause });
}

function isProblem(body: unknown): body is Problem {
  const problem = body as Partial<Problem> | undefined;
  return (
    typeof problem?.code === "string" && typeof problem.detail === "string"
  );
}

/** `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3). */
function secondsOf(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  if (seconds >= 0) return seconds;
  const wait = (Date.parse(header) - now) / 1000;
  return wait >= 0 ? wait : undefined;
}
