import { z } from 'zod';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

/** How words of an entry are reduced to their stems: configurations that every PostgreSQL has. */
export const languages = [
  ...(['simple', 'arabic', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'greek'] as const),
  ...(['hungarian', 'indonesian', 'irish', 'italian', 'lithuanian', 'nepali', 'norwegian', 'portuguese'] as const),
  ...(['romanian', 'russian', 'spanish', 'swedish', 'tamil', 'turkish'] as const),
] as const;
export const language = z.enum(languages);
export type Language = z.infer<typeof language>;

/** Who may read an entry: its author, a team beside, or whoever has a key. */
const access = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('private') }),
  z.strictObject({ kind: z.literal('team'), team: z.string() }),
  z.strictObject({ kind: z.literal('all') }),
]);
export type Access = z.infer<typeof access>;

/** Each version whole, so that one can be read without the others. */
const version = {
  title: personal('author'),
  content: personal('author'),
  category: z.string().nullable(),
  tags: z.array(z.string()),
  language,
};

export const knowledgeEvents = defineStreamType({
  type: 'knowledge',
  context: 'agent',
  events: {
    KnowledgeCreated: {
      version: 1,
      schema: z.strictObject({ author: z.string(), access, repository: z.string().nullable(), ...version }),
    },
    /** `author` is the entry's, whoever changed it: its words are that person's. */
    KnowledgeRevised: {
      version: 1,
      schema: z.strictObject({ author: z.string(), version: z.int().min(2), editor: z.string(), ...version }),
    },
    KnowledgeShared: { version: 1, schema: z.strictObject({ access }) },
    KnowledgeRelated: { version: 1, schema: z.strictObject({ relatedId: uuid }) },
    KnowledgeUnrelated: { version: 1, schema: z.strictObject({ relatedId: uuid }) },
    KnowledgeArchived: { version: 1, schema: z.strictObject({ reason: z.string() }) },
    KnowledgeRestored: { version: 1, schema: z.strictObject({}) },
  },
});
export type KnowledgeEvent = EventOf<typeof knowledgeEvents>;
