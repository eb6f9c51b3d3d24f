import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { documentConflict, documentRules, strategy } from './events.ts';

export const documentRow = z.strictObject({
  id: uuid,
  revision: revision.describe('its version, also the ETag'),
  name: z.string(),
  repository: z.string().nullable(),
  strategy,
  fields: documentRules.shape.fields,
  sources: documentRules.shape.sources,
  body: z.record(z.string(), z.unknown()),
  digest: z.string().describe('SHA-256 (hex) of the body in its canonical form (RFC 8785)'),
  openConflicts: z.int().min(0),
  conflicts: z.array(documentConflict).describe('those that wait for a person'),
  createdBy: z.string(),
  createdAt: time,
  changedBy: z.string(),
  changedAt: time,
});
export type DocumentRow = RowOf<typeof documentRow>;

export const documentModel = defineReadModel({
  name: 'documents',
  version: 1,
  table: 'documents',
  streams: ['document'],
  schema: documentRow,
});
