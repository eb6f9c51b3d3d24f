import { problemKinds, type ProblemCode } from './problem-kinds.ts';

/** One faulty field of a request: where (`body.title`, `query.limit`) and what is wrong with it. */
export type FieldError = { readonly path: string; readonly message: string };

/** An RFC 9457 problem document, as clients get it. */
export type ProblemDocument = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly correlationId?: string;
  readonly errors?: readonly FieldError[];
  /** Machine-readable facts, such as the cycle or the current revision. */
  readonly facts?: Readonly<Record<string, unknown>>;
};

export type ProblemOptions = {
  readonly errors?: readonly FieldError[];
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
};

/** A request cannot be answered as wished. Thrown anywhere below a route; the error middleware turns it into the answer. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly facts: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = problemKinds[code].status;
    this.errors = options.errors;
    this.facts = options.facts;
    this.headers = options.headers ?? {};
  }
}

/** The document of a problem; `place` adds which request it was. */
export const problemDocument = (
  problem: Problem,
  place: { readonly instance?: string; readonly correlationId?: string } = {},
): ProblemDocument => ({
  type: `https://workledger.dev/problems/${problem.code}`,
  title: problemKinds[problem.code].title,
  status: problem.status,
  detail: problem.message,
  ...place,
  ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  ...(problem.facts === undefined || Object.keys(problem.facts).length === 0 ? {} : { facts: problem.facts }),
});
