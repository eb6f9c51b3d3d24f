import { IDEMPOTENCY_WINDOW_SECONDS } from '@workledger/shared/aggregate/command-memory.ts';
import { declarationOf, type CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import type { ProblemCode } from '@workledger/shared/http/problem.ts';
import {
  route,
  type AnswerDescription,
  type Method,
  type Reply,
  type Route,
  type RouteInput,
} from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { isOfRepository, rolesOf } from './may-send.ts';
import { sendCommand } from './send-command.ts';

/** The headers that every command takes. */
export const commandHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
    .optional()
    .describe(
      `The same request again under the same key takes effect once and answers the same, for ${IDEMPOTENCY_WINDOW_SECONDS} seconds; ` +
        'a creation for ever. After that it is a new request.',
    ),
  'if-match': z
    .string()
    .regex(/^(\*|(W\/)?"\d{1,15}")$/, 'one revision in quotes, such as "3"')
    .optional()
    .describe('The revision (ETag) that the change is meant for; at another one it is refused with 412.'),
});
type CommandHeaders = z.infer<typeof commandHeaders>;

/** The revision of If-Match; undefined where there is none, or `*`. */
export function expectedRevision(ifMatch: string | undefined): number | undefined {
  const digits = /-?\d+/.exec(ifMatch ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** What a client gets for a command: the id, the revision after it, and what the command tells beside. */
export const receipt = z.looseObject({
  id: z.uuid(),
  revision: z.int().min(-1).describe('-1: there is no stream, and nothing was to be done'),
});

/** What an answer to a request with a key tells of keys. */
export const windowHeader = {
  'Idempotency-Window':
    'For how many seconds the Idempotency-Key is remembered (a creation: for ever); only where one was sent.',
};

/** @param key of the request; undefined: it had none */
export const keyRemembered = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { 'Idempotency-Window': String(IDEMPOTENCY_WINDOW_SECONDS) };

const headers = {
  ...windowHeader,
  'Consistency-Token': '<stream>@<revision>, several separated by commas: a query that carries it sees the effect.',
  ETag: 'The revision, in quotes: for If-Match.',
};

export const accepted: AnswerDescription = { description: 'Done.', schema: receipt, headers };
export const created: AnswerDescription = {
  description: 'Created. A repeat under the same Idempotency-Key answers the same.',
  schema: receipt,
  headers: { ...headers, Location: 'Where the queries know it.' },
};

/** The reply to a command. @param key its Idempotency-Key @param location path of what was created; undefined: nothing was */
export const receiptReply = (answer: CommandAnswer, key: string | undefined, location?: string): Reply => ({
  status: location === undefined ? 200 : 201,
  headers: {
    'Cache-Control': 'no-store',
    ...keyRemembered(key),
    ...(answer.token === '' ? {} : { 'Consistency-Token': answer.token }),
    ...(answer.revision < 0 ? {} : { ETag: `"${answer.revision}"` }),
    ...(location === undefined ? {} : { Location: location }),
  },
  json: { ...answer.details, id: answer.id, revision: answer.revision },
});

/** An id in a path, in any case. */
export const pathId = z.uuid().toLowerCase();
const idParams = z.strictObject({ id: pathId });

const refusals: readonly ProblemCode[] = [
  'illegal-transition',
  'idempotency-key-reused',
  'revision-mismatch',
  'unavailable',
];

type CommandRoute = {
  readonly method: Method;
  /** With `{id}` where the command has a target; without where it creates one. */
  readonly path: string;
  readonly type: CommandType;
  readonly summary: string;
  readonly description?: string;
  /** Where the usual bound is too small for what the command may say. */
  readonly maxBodyBytes?: number;
  /** Problems that this command can meet beside the usual ones. */
  readonly problems?: readonly ProblemCode[];
};

/** A route whose body is the data of one command to the aggregate named in the path. */
export const intention = (commands: Commands, definition: CommandRoute): Route =>
  route({
    ...common(definition),
    params: idParams,
    body: declarationOf(definition.type).data,
    answers: { 200: accepted },
    problems: [...refusals, 'not-found', ...(definition.problems ?? [])],
    handler: async (input) =>
      receiptReply(
        await sendCommand(commands, input, request(definition, input, input.params.id, input.body)),
        input.headers['idempotency-key'],
      ),
  });

/** A route that takes all data of its command from the path. */
export const intentionFromPath = <Params extends z.ZodType<{ id: string }>>(
  commands: Commands,
  definition: CommandRoute & { readonly params: Params; readonly data: (params: z.infer<Params>) => unknown },
): Route =>
  route({
    ...common(definition),
    params: definition.params,
    answers: { 200: accepted },
    problems: [...refusals, 'not-found', ...(definition.problems ?? [])],
    handler: async (input) => {
      const data = definition.data(input.params);
      const answer = await sendCommand(commands, input, request(definition, input, input.params.id, data));
      return receiptReply(answer, input.headers['idempotency-key']);
    },
  });

/** A route whose command creates an aggregate. */
export const creation = (commands: Commands, definition: CommandRoute): Route =>
  route({
    ...common(definition),
    body: declarationOf(definition.type).data,
    answers: { 201: created },
    problems: [...refusals, ...(definition.problems ?? [])],
    handler: async (input) => {
      const answer = await sendCommand(commands, input, request(definition, input, undefined, input.body));
      return receiptReply(answer, input.headers['idempotency-key'], `${definition.path}/${answer.id}`);
    },
  });

/** Of an agent its own key takes commands; that of another role would reach beyond its repositories. */
const scopeOf = (type: CommandType): Pick<Route, 'scoped'> =>
  isOfRepository(type) ? { scoped: true } : rolesOf(type).includes('agent') ? { scoped: ['agent'] } : {};

const common = ({ method, path, type, summary, description, maxBodyBytes }: CommandRoute) => ({
  method,
  path,
  ...scopeOf(type),
  summary,
  ...(description === undefined ? {} : { description }),
  ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
  role: rolesOf(type),
  headers: commandHeaders,
});

const routeName = ({ method, path }: Pick<CommandRoute, 'method' | 'path'>): string =>
  `${method.toUpperCase()} ${path}`;

const request = (
  definition: CommandRoute,
  { headers }: RouteInput<unknown, unknown, unknown, CommandHeaders>,
  target: string | undefined,
  data: unknown,
) => ({
  type: definition.type,
  route: routeName(definition),
  target,
  data,
  idempotencyKey: headers['idempotency-key'],
  expectedRevision: expectedRevision(headers['if-match']),
});
