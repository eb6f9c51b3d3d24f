import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { language } from './events.ts';

const text = {
  title: z.string(),
  content: z.string(),
  category: z.string().nullable(),
  tags: z.array(z.string()),
  language,
};

export const knowledgeRow = z.strictObject({
  id: uuid,
  revision,
  version: z.int().min(1).describe('of its text: the newest'),
  ...text,
  author: z.string().describe('who created it: `agent:<id>`, `user:<id>` or `key:<id>`'),
  access: z.enum(['private', 'team', 'all']),
  team: z.string().nullable().describe('that may read it, where access is `team`'),
  repository: z.string().nullable(),
  related: z.array(uuid),
  archived: z.boolean(),
  reason: z.string().nullable().describe('why it was archived'),
  createdAt: time,
  updatedAt: time,
  digest: z.string().describe('SHA-256 of what its meaning is computed from, hex'),
});
export type KnowledgeRow = RowOf<typeof knowledgeRow>;

export const knowledgeModel = defineReadModel({
  name: 'knowledge',
  version: 1,
  table: 'knowledge',
  streams: ['knowledge'],
  schema: knowledgeRow,
});

/** A version as it was written; who may read it is asked of the entry. */
export const knowledgeVersionRow = z.strictObject({
  id: z.string().describe('`<entry>/<version>`'),
  entryId: uuid,
  version: z.int().min(1),
  ...text,
  editor: z.string().describe('who wrote it'),
  writtenAt: time,
});
export type KnowledgeVersionRow = RowOf<typeof knowledgeVersionRow>;

export const knowledgeVersionModel = defineReadModel({
  name: 'knowledge-versions',
  version: 1,
  table: 'knowledge_versions',
  streams: ['knowledge'],
  schema: knowledgeVersionRow,
});
