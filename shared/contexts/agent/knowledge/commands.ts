import { z } from 'zod';
import { defineCommands, workers } from '../../define-commands.ts';
import { text, uuid, word } from '../../text.ts';
import { language } from './events.ts';

/** Characters. What is longer belongs into an artefact, or into entries that are related. */
const LONGEST_CONTENT = 65_536;

const access = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('private') }),
  z.strictObject({ kind: z.literal('team'), team: word }),
  z.strictObject({ kind: z.literal('all') }),
]);
const version = {
  title: text(300, 1),
  content: text(LONGEST_CONTENT, 1).refine(
    (content) => Buffer.byteLength(JSON.stringify(content)) <= 200_000,
    'more than 200,000 bytes as JSON: divide it into entries that are related',
  ),
  category: word.nullable(),
  tags: z.array(word).max(50),
  language,
};
const related = z.strictObject({ relatedId: uuid });

export const knowledgeCommands = defineCommands({
  'knowledge.create': {
    data: z.strictObject({
      ...version,
      category: version.category.default(null),
      tags: version.tags.default([]),
      language: language.default('english').describe('by which words are reduced to their stems'),
      access: access.default({ kind: 'all' }).describe('who may read it: its author, a team beside, or everybody'),
      repository: text(200, 1).nullable().default(null).describe('what it is about, as the configuration names it'),
    }),
    roles: workers,
    creates: true,
    inWorkflows: true,
  },
  'knowledge.revise': { data: z.strictObject(version).partial(), roles: workers },
  'knowledge.share': { data: z.strictObject({ access }), roles: workers },
  'knowledge.relate': { data: related, roles: workers },
  'knowledge.unrelate': { data: related, roles: workers },
  'knowledge.archive': {
    data: z.strictObject({ reason: text(1_000, 1).default('archived on request') }),
    roles: workers,
  },
  'knowledge.restore': { data: z.strictObject({}), roles: workers },
  /** Counts that an entry helped, outside the log. */
  'knowledge.use': {
    data: z.strictObject({
      how: z.enum(['opened', 'cited']).default('opened').describe('cited: what was done rests on it'),
    }),
    roles: workers,
  },
});
