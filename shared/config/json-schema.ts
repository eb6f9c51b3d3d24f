import { z } from 'zod';
import { configurationSchema } from './schema.ts';

/** The JSON Schema of `workledger.json`; `configuration.schema.json` is its published copy. */
export const configurationJsonSchema = (): Record<string, unknown> => ({
  title: 'Workledger configuration',
  ...z.toJSONSchema(configurationSchema, { target: 'draft-2020-12', io: 'input' }),
});
