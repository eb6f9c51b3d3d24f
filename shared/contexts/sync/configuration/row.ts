import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { change, content, environmentName } from './events.ts';

/** What the API has set for an environment, as it is now. */
export const configurationRow = z.strictObject({
  id: uuid,
  revision,
  environment: environmentName,
  content,
  since: z.record(z.string(), z.int()).describe('by JSON pointer: the revision that set it'),
  changedBy: z.string(),
  changedAt: time,
});
export type ConfigurationRow = RowOf<typeof configurationRow>;

export const configurationModel = defineReadModel({
  name: 'configurations',
  version: 1,
  table: 'configurations',
  streams: ['configuration'],
  schema: configurationRow,
});

/** One revision of an environment's values. */
export const configurationRevisionRow = z.strictObject({
  id: z.string().describe('<stream>@<revision>'),
  revision,
  environment: environmentName,
  changes: z.array(change),
  content,
  reason: z.string(),
  changedBy: z.string(),
  rolledBackTo: z.int().nullable().describe('the revision whose content it is again; -1: the file alone'),
  changedAt: time,
});
export type ConfigurationRevisionRow = RowOf<typeof configurationRevisionRow>;

export const configurationRevisionModel = defineReadModel({
  name: 'configuration-revisions',
  version: 1,
  table: 'configuration_revisions',
  streams: ['configuration'],
  schema: configurationRevisionRow,
});
