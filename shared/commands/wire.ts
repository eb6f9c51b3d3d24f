import { z } from 'zod';

/** Where command-service takes the commands of other processes of the system. */
export const SERVICE_COMMANDS_PATH = '/api/v1/service/commands';

/**
 * The header that tells a command's own refusal, by its code, from all other problems of the same status: such as `forbidden`,
 * which a key of the wrong role is told, too.
 */
export const REFUSAL_HEADER = 'Workledger-Refusal';

/** `CommandAnswer` as JSON. */
export const commandAnswer = z.object({
  id: z.uuid(),
  stream: z.string(),
  revision: z.int().min(-1).describe('-1: there is no stream, and nothing was to be done'),
  token: z.string().describe('<stream>@<revision>, several separated by commas'),
  details: z.record(z.string(), z.unknown()),
});
