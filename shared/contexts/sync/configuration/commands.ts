import { z } from 'zod';
import { defineCommands, operators } from '../../define-commands.ts';
import { text } from '../../text.ts';
import { content, environmentName, installedRepository } from './events.ts';

const environment = environmentName.describe('whose values these are');
const reason = text(1_000, 1).describe('why, for whoever reads the history');

const pointer = z
  .string()
  .max(2_000)
  .regex(
    /^\/(repositories|agents|rules|limits|flags|overlays)(\/([^~/\u0000]|~[01])+){1,3}$/,
    'a JSON pointer below repositories, agents, rules, limits, flags or overlays, such as /repositories/shop/merge',
  );

export const configurationCommands = defineCommands({
  'configuration.revise': {
    data: z.strictObject({
      environment,
      changes: z
        .array(
          z.strictObject({
            path: pointer,
            value: z.unknown().optional().describe('left out: what was set is taken back, and the file is valid again'),
          }),
        )
        .min(1)
        .max(500),
      reason,
    }),
    roles: operators,
    alone: true,
  },
  'configuration.replace': {
    data: z.strictObject({
      environment,
      content: content.describe(
        'what is not named is taken back; `installed` stays as GitHub tells it, whatever it says',
      ),
      reason,
    }),
    roles: operators,
    alone: true,
  },
  'configuration.roll-back': {
    data: z.strictObject({
      environment,
      to: z.int().min(-1).max(1_000_000_000).describe('the revision whose content is valid again; -1: the file alone'),
      reason,
    }),
    roles: operators,
    alone: true,
  },
  'configuration.take-installed': {
    data: z.strictObject({
      environment,
      installed: z
        .record(z.string().regex(/^[^/\s]+\/[^/\s]+$/), installedRepository)
        .describe('by owner/name: all that the app may work in, of those that the configuration takes'),
    }),
    sentBy: ['saga'],
  },
});
