import { declarationOf, type CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { ProblemCode } from '@workledger/shared/http/problem.ts';
import { route, type Method, type Route, type RouteInput } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { commandHeaders, expectedRevision, type CommandHeaders } from './headers.ts';
import { rolesOf } from './may-send.ts';
import { accepted, created, receiptReply } from './receipt.ts';
import { sendCommand } from './send-command.ts';

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
      receiptReply(await sendCommand(commands, input, request(definition, input, input.params.id, input.body))),
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
      return receiptReply(await sendCommand(commands, input, request(definition, input, input.params.id, data)));
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
      return receiptReply(answer, `${definition.path}/${answer.id}`);
    },
  });

const common = ({ method, path, type, summary, description, maxBodyBytes }: CommandRoute) => ({
  method,
  path,
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
