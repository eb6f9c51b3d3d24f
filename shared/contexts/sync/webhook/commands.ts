import { z } from 'zod';
import { defineCommands, operators } from '../../define-commands.ts';
import { text, uuid } from '../../text.ts';

const eventType = z
  .string()
  .max(200)
  .regex(
    /^(\*|\/workledger\/(task|evolution|agent|sync)|workledger\.[a-z][a-z-]*\.(\*|[A-Z][A-Za-z]*))$/,
    '*, a source such as /workledger/task, or a published type without its version such as workledger.task.TaskCompleted or workledger.task.*',
  );

const position = z
  .string()
  .regex(/^\d{1,18}$/, 'a position as an event has it; 0: the start')
  .describe('events after this position of the log are sent, as an event has it; 0: from the start');

const details = {
  name: text(200, 1),
  url: z
    .string()
    .max(2_000)
    .regex(/^https?:\/\/[\x21-\x7e]+$/, 'https:// and what follows, in ASCII')
    .describe('https, and a host that the configuration allows (`outgoingWebhooks.allowHosts`)'),
  eventTypes: z
    .array(eventType)
    .min(1)
    .max(100)
    .describe(
      'published types without their version, such as `workledger.task.TaskCompleted` or `workledger.task.*`; a source, such as `/workledger/task`; `*`',
    ),
  repositories: z
    .array(text(200, 1))
    .min(1)
    .max(100)
    .nullable()
    .describe(
      'only events of these; null: of all, and of none. A key that is limited to repositories names some of its own',
    ),
};

export const webhookCommands = defineCommands({
  'webhook.create': {
    data: z.strictObject({
      ...details,
      repositories: details.repositories.default(null),
      from: position.optional().describe(`${position.description}; left out: from now on`),
      /** Names the row that was written for its secret. */
      secretId: uuid,
    }),
    roles: operators,
    creates: true,
    alone: true,
  },
  'webhook.change': { data: z.strictObject(details).partial(), roles: operators },
  'webhook.pause': { data: z.strictObject({ reason: text(1_000, 1).default('paused on request') }), roles: operators },
  'webhook.resume': {
    data: z.strictObject({ from: position.optional().describe(`${position.description}; left out: since the pause`) }),
    roles: operators,
  },
  'webhook.rotate-secret': {
    data: z.strictObject({
      oldValidSeconds: z
        .int()
        .min(0)
        .max(604_800)
        .default(86_400)
        .describe('for so long the secret before signs, too; default: a day'),
      secretId: uuid,
    }),
    roles: operators,
    alone: true,
  },
  'webhook.test': { data: z.strictObject({}), roles: operators },
  'webhook.redeliver': {
    data: z.strictObject({
      deliveryId: uuid
        .optional()
        .describe('the one to send again, whatever became of it; left out: all that were given up'),
    }),
    roles: operators,
  },
  'webhook.drop-delivery': { data: z.strictObject({ deliveryId: uuid }), roles: operators },
  'webhook.delete': { data: z.strictObject({}), roles: operators },
  /** It failed for too long. */
  'webhook.give-up': { data: z.strictObject({ reason: text(1_000, 1) }), sentBy: ['saga'] },
  /** It answered that it is gone. */
  'webhook.disable': { data: z.strictObject({ reason: text(1_000, 1) }), sentBy: ['saga'] },
});
