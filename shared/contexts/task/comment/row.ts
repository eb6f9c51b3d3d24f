import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';

export const commentRow = z.strictObject({
  id: uuid,
  revision,
  issueId: uuid,
  repository: z.string().nullable(),
  author: z.string().describe('agent:<id>, user:<id> or key:<id>'),
  body: z.string().describe('personal'),
  createdAt: time,
  editedAt: time.nullable(),
});
export type CommentRow = RowOf<typeof commentRow>;

/** One that was deleted has no row. */
export const commentModel = defineReadModel({
  name: 'comments',
  version: 1,
  table: 'comments',
  streams: ['comment'],
  schema: commentRow,
});
