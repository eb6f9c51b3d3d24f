import { z } from 'zod';
import { newId } from '../../contexts/stream.ts';
import type { Outages } from '../../resilience/outages/outages.ts';
import {
  CommandFault,
  NoAnswer,
  type Command,
  type CommandAnswer,
  type CommandContext,
  type Commands,
} from '../port.ts';
import { SERVICE_COMMANDS_PATH, commandAnswer, REFUSAL_HEADER } from '../wire.ts';
import { CommandRefused, type RefusalCode } from '../refusal.ts';
import { timeoutSignal } from '../../resilience/timeout-signal.ts';

const TIMEOUT_MILLISECONDS = 10_000;
const HEADER_SAFE = /^[\x21-\x7e]+$/;

type HttpCommandsOptions = {
  /** Addresses of command-service's instances, such as `http://127.0.0.1:8081`: the next is tried when one cannot be reached. */
  readonly urls: readonly string[];
  /** An API key of role `service`. */
  readonly key: string;
  /** For one command, all tries together; default 10,000. */
  readonly timeoutMilliseconds?: number;
  /** Takes note of how `command-service` answers. */
  readonly outages?: Outages;
};

/**
 * Sends commands to command-service over HTTP. Every command goes out under an id, so what was sent twice, because no answer came,
 * takes effect once.
 * @throws Error when an address is none; `send` throws CommandRefused, and NoAnswer for all that another try may mend
 */
export function createHttpCommands({ urls, key, timeoutMilliseconds, outages }: HttpCommandsOptions): Commands {
  const addresses = urls.map(addressOf);
  if (addresses.length === 0) throw new Error('the address of command-service is missing: give at least one');
  const limit = timeoutMilliseconds ?? TIMEOUT_MILLISECONDS;
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const outage = outages?.of('command-service');
  let preferred = 0;
  /** The next command begins at another address. */
  const leave = (at: number): void => {
    if (preferred === at) preferred = (at + 1) % addresses.length;
  };

  /** Each address once, and the first once more: a connection that was kept open may have been closed meanwhile. */
  async function tryAll(request: RequestInit, deadline: AbortSignal): Promise<{ response: Response; at: number }> {
    const first = preferred;
    for (let attempt = 0; ; attempt++) {
      const at = (first + attempt) % addresses.length;
      const address = addresses[at]!;
      try {
        return { response: await fetch(address, { ...request, signal: deadline }), at };
      } catch (error) {
        leave(at);
        if (deadline.aborted) throw new NoAnswer(`no answer from ${address} within ${limit} ms`, { cause: error });
        if (attempt === addresses.length) throw connectionFault(addresses, error);
      }
    }
  }

  async function ask(request: RequestInit, deadline: AbortSignal): Promise<CommandAnswer> {
    const { response, at } = await tryAll(request, deadline);
    try {
      return await readAnswer(response, deadline);
    } catch (error) {
      if (error instanceof NoAnswer) leave(at);
      throw error;
    }
  }

  return {
    send: async (command, context) => {
      const request = {
        method: 'POST',
        body: JSON.stringify(envelope(command, context)),
        redirect: 'error',
        headers: { ...headers, ...conversation(context) },
      } as const;
      try {
        const answer = await ask(request, timeoutSignal(limit));
        outage?.worked(null);
        return answer;
      } catch (error) {
        if (error instanceof NoAnswer && !(error instanceof CommandFault)) outage?.failed(null, error);
        else outage?.worked(null);
        throw error;
      }
    },
  };
}

/** Only what the port names: callers may pass more than that. */
const envelope = ({ type, target, data }: Command, context: CommandContext) => {
  const { commandId = newId(), actor, correlationId, causationId, traceparent, expectedRevision } = context;
  return {
    command: { type, target, data },
    context: { commandId, actor, correlationId, causationId, traceparent, expectedRevision },
  };
};

/** So that the lines that command-service logs about it carry the same ids. */
const conversation = ({ correlationId, traceparent }: CommandContext): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ 'X-Correlation-Id': correlationId, traceparent }).filter(
      (header): header is [string, string] => typeof header[1] === 'string' && HEADER_SAFE.test(header[1]),
    ),
  );

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Error(`an address of command-service is not usable: give http://host:port, without user and password`);
  return new URL(`${url.pathname.replace(/(?<!\/)\/+$/, '')}${SERVICE_COMMANDS_PATH}`, url).href;
}

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
 * @throws CommandRefused; NoAnswer when it says neither yes nor no, or breaks off; CommandFault when it says that it has a fault
 */
async function readAnswer(response: Response, deadline: AbortSignal): Promise<CommandAnswer> {
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
  const NoReceipt = status === 500 ? CommandFault : NoAnswer;
  throw new NoReceipt(`${placeOf(response)} answered ${status}${told ? `: ${told.detail}` : ''}`);
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

/** What to tell when no address could be reached. */
function connectionFault(addresses: readonly string[], cause: unknown): NoAnswer {
  const places = [...new Set(addresses.map((address) => new URL(address).origin))].join(', ');
  return new NoAnswer(`command-service cannot be reached at ${places}: ${reasonOf(cause)}`, { cause });
}

/** The system's own code, which fetch hides in a cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.message;
}
