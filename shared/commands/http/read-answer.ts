import { z } from 'zod';
import type { CommandAnswer } from '../port.ts';
import { NoAnswer } from '../no-answer.ts';
import { CommandRefused, type RefusalCode } from '../refusal.ts';
import { commandAnswer, REFUSAL_HEADER } from '../wire.ts';

const problem = z.object({
  type: z.string(),
  detail: z.string(),
  errors: z.array(z.unknown()).optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
});
type ProblemDocument = z.infer<typeof problem>;

/** Problems of the request itself, before any command was looked at: the same request has them again. */
const unacceptable: Readonly<Record<string, RefusalCode>> = {
  'invalid-request': 'invalid-command',
  'invalid-json': 'invalid-command',
  'too-large': 'too-large',
};

/**
 * What command-service's response says.
 * @throws CommandRefused; NoAnswer when it says neither yes nor no, or breaks off
 */
export async function readAnswer(response: Response, deadline: AbortSignal): Promise<CommandAnswer> {
  const { status } = response;
  const body = await readJson(response, deadline);
  if (status === 200) {
    const answer = commandAnswer.safeParse(body);
    if (answer.success) return answer.data;
    throw new NoAnswer(`${placeOf(response)} answered 200, but no receipt: is it command-service?`);
  }
  const told = problem.safeParse(body).data;
  const code = told && refusalOf(response, told);
  if (code) throw new CommandRefused(code, told.detail, factsOf(told));
  if (status === 401) throw new NoAnswer(`${placeOf(response)} does not know the service key (401): ${KEY_REMEDY}`);
  if (status === 403) throw new NoAnswer(`${placeOf(response)} wants a key of role service (403): ${KEY_REMEDY}`);
  throw new NoAnswer(`${placeOf(response)} answered ${status}${told ? `: ${told.detail}` : ''}`);
}

const KEY_REMEDY = 'give command-service and its callers the same SERVICE_KEY_FILE';

const placeOf = ({ url }: Response): string => `command-service at ${new URL(url).origin}`;

async function readJson(response: Response, deadline: AbortSignal): Promise<unknown> {
  try {
    const text = await response.text();
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null;
  } catch (cause) {
    const why = deadline.aborted ? 'was not complete in time' : 'broke off';
    throw new NoAnswer(`the answer of ${placeOf(response)} ${why}`, { cause });
  }
}

function refusalOf(response: Response, { type }: ProblemDocument): RefusalCode | undefined {
  const code = type.slice(type.lastIndexOf('/') + 1);
  return response.headers.get(REFUSAL_HEADER) === code ? (code as RefusalCode) : unacceptable[code];
}

const factsOf = ({ facts, errors }: ProblemDocument): Readonly<Record<string, unknown>> => ({
  ...facts,
  ...(errors === undefined ? {} : { errors }),
});
