import { declarationOf, type CommandType } from '@workledger/shared/commands/catalogue.ts';
import type { CommandContext, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { commandAnswer, REFUSAL_HEADER, SERVICE_COMMANDS_PATH } from '@workledger/shared/commands/wire.ts';
import { describedAs } from '@workledger/shared/http/openapi.ts';
import { Problem, toProblem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { z } from 'zod';
import { maySend, serviceActor, serviceCommands } from './may-send.ts';

/** Twice what one append can hold: what is too large for the log is refused by the log's own rule. */
const MAX_BYTES = 1024 * 1024;

/** What others gave us to pass on: any short word that fits a header. */
const opaque = z.string().regex(/^[\x21-\x7e]{1,200}$/, '1 to 200 visible ASCII characters');

/** What is wrong with the data is a refusal of the command, which sagas tell from a fault of the way to it. */
const envelopeOf = (type: CommandType) =>
  z.strictObject({
    type: z.literal(type),
    target: describedAs(z.uuid(), z.string().max(100)),
    data: describedAs(declarationOf(type).data, z.unknown()),
  });
type Envelope = ReturnType<typeof envelopeOf>;

const body = z.strictObject({
  command: z.discriminatedUnion('type', serviceCommands.map(envelopeOf) as [Envelope, ...Envelope[]]),
  context: z.strictObject({
    commandId: z.uuid().optional().describe('The same id again takes effect once and answers the same.'),
    actor: z.string().max(200).regex(serviceActor, 'saga:<stream> or agent:<uuid>'),
    correlationId: opaque,
    causationId: opaque.nullable().optional(),
    traceparent: opaque.nullable().optional(),
    expectedRevision: z.int().min(0).optional(),
  }),
});
type Body = z.infer<typeof body>;

export type ServiceRouteOptions = { readonly commands: Commands; readonly logger: Pick<Logger, 'info'> };

/** POST /api/v1/service/commands: how sagas in other processes send commands. For the inside only: no gateway leads here. */
export const serviceRoute = ({ commands, logger }: ServiceRouteOptions): Route =>
  route({
    method: 'post',
    path: SERVICE_COMMANDS_PATH,
    role: ['service'],
    summary: 'Send a command in the name of a saga or an agent',
    description:
      'For processes of the system itself. A command that was refused is told from other problems by the header ' +
      `\`${REFUSAL_HEADER}\`, which has the code: trying it again cannot help.`,
    body,
    maxBodyBytes: MAX_BYTES,
    answers: { 200: { description: 'Done.', schema: commandAnswer } },
    problems: ['not-found', 'illegal-transition', 'revision-mismatch', 'idempotency-key-reused', 'unavailable'],
    handler: async (input) => {
      const { command, context } = input.body;
      const { type, target } = command;
      /** The line's own `actor` is the key that it came under. */
      const told = {
        command: type,
        target,
        onBehalfOf: context.actor,
        commandId: context.commandId,
        correlationId: context.correlationId,
      };
      try {
        const answer = await send(commands, input.body);
        logger.info({ ...told, revision: answer.revision }, 'command of a service');
        return { headers: { 'Cache-Control': 'no-store' }, json: answer };
      } catch (error) {
        if (!(error instanceof CommandRefused)) throw error;
        logger.info({ ...told, refused: error.code }, 'command of a service');
        throw marked(error);
      }
    },
  });

const send = async (commands: Commands, { command, context }: Body) => {
  if (!maySend(context.actor, command.type))
    refuse('forbidden', `${context.actor.split(':', 1)[0]} may not send ${command.type}`);
  return commands.send({ ...command, data: command.data }, present(context));
};

/** Without the fields that were left out. */
const present = ({
  commandId,
  expectedRevision,
  causationId,
  traceparent,
  ...named
}: Body['context']): CommandContext => ({
  ...named,
  causationId: causationId ?? null,
  traceparent: traceparent ?? null,
  ...(commandId === undefined ? {} : { commandId }),
  ...(expectedRevision === undefined ? {} : { expectedRevision }),
});

function marked(refusal: CommandRefused): Problem {
  const { code, message, errors, facts } = toProblem(refusal);
  return new Problem(code, message, {
    cause: refusal,
    headers: { [REFUSAL_HEADER]: refusal.code },
    ...(errors === undefined ? {} : { errors }),
    ...(facts === undefined ? {} : { facts }),
  });
}
