import { z } from 'zod';
import { lastLines } from '../failures.ts';

/** How an agent's work ended, by what it printed. */
export type AgentOutcome = {
  /** Why it does not count; null: it counts. */
  readonly problem: string | null;
  /** US dollars; null: it did not tell. */
  readonly costUsd: number | null;
  /** It met a limit of use, or its model is overloaded: until then (ISO 8601), null where it named no time. Absent: neither. */
  readonly limit?: { readonly until: string | null };
  /** Its result is not known, but with exit code 0 and a change the tests may judge: the problem is only to be told. */
  readonly isOpen?: true;
};

const resultSchema = z.looseObject({
  type: z.literal('result'),
  subtype: z.string().optional(),
  is_error: z.boolean().optional(),
  num_turns: z.number().optional(),
  result: z.string().optional(),
  errors: z.array(z.unknown()).optional(),
  total_cost_usd: z.number().min(0).optional(),
});
const rejectedSchema = z.looseObject({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.looseObject({ status: z.literal('rejected'), resetsAt: z.number().positive().optional() }),
});

const DETAIL_LENGTH = 500;

/**
 * Judges Claude Code's `--output-format json` or `stream-json` by its result object: the exit code says nothing, an API
 * error ends with 0 and `subtype: "success"`, a prompt that never ran with no turn. What is null is absent.
 */
export function claudeOutcome(stdout: Buffer, stderr: Buffer = Buffer.alloc(0)): AgentOutcome {
  const text = stdout.toString('utf8');
  const printed = valuesIn(text);
  const found = last(printed, resultSchema);
  if (found === null) return withoutResult(text, stdout.length, stderr);
  const said = saidIn(found);
  const detail = said === '' ? '' : `: ${said.slice(0, DETAIL_LENGTH)}`;
  const costUsd = found.total_cost_usd ?? null;
  const isError = found.is_error === true;
  const limit = isError ? limitIn(said) : limitAlone(said);
  if (limit !== null) {
    const resetsAt = last(printed, rejectedSchema)?.rate_limit_info.resetsAt;
    const until = limit.until ?? (resetsAt === undefined ? null : timeOf(resetsAt));
    return { problem: said.slice(0, DETAIL_LENGTH), costUsd: null, limit: { until } };
  }
  if (found.subtype === 'error_max_turns')
    return { problem: `it used all its turns (${found.num_turns ?? 'all'}): raise --max-turns${detail}`, costUsd };
  if (isError && (found.subtype ?? 'success') === 'success')
    return { problem: `the agent reports an error${detail}`, costUsd };
  if (found.subtype !== undefined && found.subtype !== 'success')
    return { problem: `the agent stopped with ${found.subtype}${detail}`, costUsd };
  if ((found.num_turns ?? 0) < 1) return { problem: `the agent did not take a turn${detail}`, costUsd };
  return { problem: null, costUsd };
}

const STDERR_LINES = 5;

function withoutResult(text: string, bytes: number, stderr: Buffer): AgentOutcome {
  const errors = lastLines(stderr, STDERR_LINES).join(' | ').slice(-DETAIL_LENGTH);
  const begun = lastJson(text);
  if (begun !== null) {
    const costUsd = Number(/"total_cost_usd":\s?(\d+(?:\.\d+)?)/.exec(begun)?.[1] ?? Number.NaN);
    const problem = `the output ends in the middle of its JSON after ${bytes.toLocaleString('en-US')} bytes`;
    const known = Number.isNaN(costUsd) ? null : costUsd;
    // It is no success that says itself that it is none.
    return /"is_error":\s?true/.test(begun) ? { problem, costUsd: known } : { problem, costUsd: known, isOpen: true };
  }
  const limit = limitIn(`${errors}\n${lastLines(text, STDERR_LINES).join('\n')}`);
  const hint = 'printed no result object: run it with --output-format json';
  const problem = errors === '' ? hint : `${hint}. It said: ${errors}`;
  return limit === null ? { problem, costUsd: null } : { problem, costUsd: null, limit };
}

/** The object or list that an output ends with and does not close; null: there is none. */
function lastJson(text: string): string | null {
  const trimmed = text.trim();
  const lastLine = trimmed.slice(trimmed.lastIndexOf('\n') + 1).trim();
  const begun = [trimmed, lastLine].find((part) => /^[[{]\s*[{"]/.test(part) && parse(part) === null);
  return begun ?? null;
}

/** Judges an agent that only prints text and did not end well: whether a limit ended it. */
export function textLimit(output: Buffer): { readonly until: string | null } | null {
  return limitIn(lastLines(output, STDERR_LINES).join('\n'));
}

const EPOCH = /limit reached\|(\d{10,13})/i;
const LIMIT =
  /\b(?:usage|session|weekly|5-hour|daily|hourly) limit reached|limit reached\|\d|you(?:'|\u2019)ve (?:hit|reached) your (?:\w+ )?limit|rate_limit_error|overloaded_error|\bAPI Error[^\n]{0,40}\b(?:429|529)\b|"type":\s?"(?:rate_limit|overloaded)|^(?:Error: )?(?:429|529)\b|exceeded your current quota|resource_exhausted|\boverloaded\b|\bRateLimitError\b|exhausted your (?:daily )?(?:capacity|quota)/im;
/** `try again in 3 days 6 hours 57 minutes`, `will reset after 8h36m13s`: counted from now. */
const AFTER =
  /\b(?:try again in|reset after)((?:\s*\d+(?:\.\d+)?\s*(?:days?|hours?|minutes?|seconds?|[dhms])\b,?|\s*\d+[dhms](?=\d))+)/i;
const PART = /(\d{1,9}(?:\.\d{1,9})?)\s{0,9}([dhms])/gi;
const MILLISECONDS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };

/** Whether words of a failure tell of a limit, and its end where they name one. */
export function limitIn(said: string): { until: string | null } | null {
  if (!LIMIT.test(said)) return null;
  const seconds = EPOCH.exec(said)?.[1];
  return { until: seconds === undefined ? afterIn(said) : timeOf(Number(seconds)) };
}

function afterIn(said: string): string | null {
  const parts = [...(AFTER.exec(said.slice(0, 10_000))?.[1] ?? '').matchAll(PART)];
  const milliseconds = parts.reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (MILLISECONDS[unit.toLowerCase()] ?? 0),
    0,
  );
  return milliseconds > 0 ? timeOf(Date.now() + milliseconds) : null;
}

/** The same words as an agent's whole answer: a success that only speaks of limits is one. */
function limitAlone(said: string): { until: string | null } | null {
  return /^[\w\u2019' -]{0,60}limit reached(?:\|\d{10,13})?\.?$/i.test(said.trim()) ? limitIn(said) : null;
}

/** @param epoch in seconds, or in milliseconds */
function timeOf(epoch: number): string | null {
  const time = new Date(epoch < 1e11 ? epoch * 1_000 : epoch);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

const saidIn = ({ result, errors }: z.infer<typeof resultSchema>): string =>
  result ?? errors?.map((error) => (typeof error === 'string' ? error : JSON.stringify(error))).join('; ') ?? '';

function valuesIn(text: string): unknown[] {
  const whole = parse(text);
  const inLines = text.split('\n').filter((line) => line.trimStart().startsWith('{'));
  return [...inLines.map(parse), ...(Array.isArray(whole) ? (whole as unknown[]) : [whole])];
}

function last<Schema extends z.ZodType>(values: readonly unknown[], schema: Schema): z.infer<Schema> | null {
  for (const value of values.toReversed()) {
    const read = schema.safeParse(withoutNulls(value));
    if (read.success) return read.data;
  }
  return null;
}

const withoutNulls = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
