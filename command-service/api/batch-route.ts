import { commandTypes, declarationOf, type CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { parsePart } from '@workledger/shared/http/parse.ts';
import { problemDocument, toProblem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { z } from 'zod';
import { commandHeaders, keyRemembered, pathId, windowHeader } from './command-route.ts';
import { rolesOf, sendingRoles } from './may-send.ts';
import { sendCommand, type Caller } from './send-command.ts';

const PATH = '/api/v1/commands';
const MAX_COMMANDS = 100;
const MAX_BYTES = 1024 * 1024;

const allowed = commandTypes.filter((type) => rolesOf(type).length > 0 && declarationOf(type).alone !== true);

const common = {
  data: z.record(z.string(), z.unknown()).default({}),
  idempotencyKey: commandHeaders.shape['idempotency-key'],
  expectedRevision: z.int().min(0).optional(),
};
const [creating, changing] = [true, false].map((creates) =>
  allowed.filter((type) => (declarationOf(type).creates === true) === creates),
) as [CommandType[], CommandType[]];
const item = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(changing), target: pathId.describe('Id of the aggregate.'), ...common }),
  z.strictObject({ type: z.enum(creating), ...common }),
]);
type Item = { readonly target?: string } & z.infer<typeof item>;

const result = z.object({
  status: z.int(),
  id: z.uuid().optional(),
  revision: z.int().optional(),
  consistencyToken: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  problem: z.looseObject({ type: z.string(), detail: z.string() }).optional(),
});

export type BatchOptions = {
  readonly commands: Commands;
  readonly logger: Logger;
  /** Called after each command that took effect; the answer waits for all of these. */
  readonly onSuccess: (type: CommandType, target: string) => Promise<void>;
};

/** POST /api/v1/commands: many commands in one request, one after the other, each with a result of its own. */
export const batchRoute = ({ commands, logger, onSuccess }: BatchOptions): Route =>
  route({
    method: 'post',
    path: PATH,
    role: sendingRoles,
    scoped: true,
    summary: `Send up to ${MAX_COMMANDS} commands`,
    description:
      'They are carried out in order, each by itself: one that is refused does not stop the others, and nothing is undone. ' +
      'Each is allowed or refused by the role of the caller as on its own route.',
    headers: commandHeaders.pick({ 'idempotency-key': true }),
    body: z.strictObject({ commands: z.array(item).min(1).max(MAX_COMMANDS) }),
    maxBodyBytes: MAX_BYTES,
    answers: {
      200: {
        description: 'A result for each command, in their order.',
        schema: z.object({ results: z.array(result) }),
        headers: {
          ...windowHeader,
          'Consistency-Token':
            'Of all commands together; left out where that is over 8,000 characters: then use those of the results.',
        },
      },
    },
    handler: async (input) => {
      const tokens: string[] = [];
      const following: Promise<void>[] = [];
      const results: z.infer<typeof result>[] = [];
      for (const [index, wish] of input.body.commands.entries()) {
        try {
          const shared = input.headers['idempotency-key'];
          const answer = await send(commands, input, wish, shared === undefined ? undefined : `${shared}#${index}`);
          following.push(onSuccess(wish.type, answer.id));
          tokens.push(answer.token);
          results.push(success(wish, answer));
        } catch (error) {
          results.push(failure(error, input.correlationId, logger));
        }
      }
      await Promise.all(following);
      const token = newestTokens(tokens);
      const key =
        input.headers['idempotency-key'] ?? input.body.commands.find((wish) => wish.idempotencyKey)?.idempotencyKey;
      return {
        headers: {
          'Cache-Control': 'no-store',
          ...keyRemembered(key),
          ...(token === '' ? {} : { 'Consistency-Token': token }),
        },
        json: { results },
      };
    },
  });

/** @param key from the request's Idempotency-Key; the command's own one comes before it */
const send = async (commands: Commands, caller: Caller, wish: Item, key: string | undefined): Promise<CommandAnswer> =>
  sendCommand(commands, caller, {
    type: wish.type,
    route: `POST ${PATH} ${wish.type}`,
    target: wish.target,
    data: parsePart(declarationOf(wish.type).data, wish.data, 'data'),
    idempotencyKey: wish.idempotencyKey ?? key,
    expectedRevision: wish.expectedRevision,
  });

const success = (wish: Item, { id, revision, token, details }: CommandAnswer): z.infer<typeof result> => ({
  status: wish.target === undefined ? 201 : 200,
  id,
  revision,
  ...(token === '' ? {} : { consistencyToken: token }),
  ...(Object.keys(details).length === 0 ? {} : { details: { ...details } }),
});

function failure(error: unknown, correlationId: string, logger: Logger): z.infer<typeof result> {
  const problem = toProblem(error);
  if (problem.status >= 500) logger.error({ error, problem: problem.code }, 'command of a batch failed');
  return { status: problem.status, problem: { ...problemDocument(problem, { correlationId }) } };
}

/** Characters: queries take none that is longer, and clients refuse heads of 16 KiB. */
const LONGEST_TOKEN = 8_000;

/**
 * Joins consistency tokens (`<stream>@<revision>`, comma-separated); of each stream the newest one stays. Empty where it would be
 * too long to be sent back.
 */
export function newestTokens(tokens: readonly string[]): string {
  const newest = new Map<string, number>();
  for (const token of tokens.flatMap((list) => list.split(',')).filter((part) => part !== '')) {
    const at = token.lastIndexOf('@');
    const stream = token.slice(0, at).trim();
    newest.set(stream, Math.max(newest.get(stream) ?? -1, Number(token.slice(at + 1))));
  }
  const joined = [...newest].map(([stream, revision]) => `${stream}@${revision}`).join(',');
  return joined.length > LONGEST_TOKEN ? '' : joined;
}
