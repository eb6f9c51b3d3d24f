import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';

/** How a field is settled that was changed on both sides. */
const STRATEGIES = ['last-writer', 'first-writer', 'source-priority', 'field-merge', 'text-merge', 'manual'] as const;
export const strategy = z.enum(STRATEGIES);
export type Strategy = z.infer<typeof strategy>;

/** A JSON Pointer (RFC 6901). */
export const POINTER = String.raw`^(?:/(?:[^~/\u0000]|~[01])*)*$`;
const pointer = z.string().regex(new RegExp(POINTER));

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const body = z.record(z.string(), z.unknown());

/** By which a document's conflicts are settled. */
export const documentRules = z.strictObject({
  strategy,
  /** Other strategies for fields and what is within them: the longest pointer that fits counts. */
  fields: z.array(z.strictObject({ path: pointer, strategy })),
  /** The higher the priority, the more it counts; whoever is none of them has priority 0. */
  sources: z.array(
    z.strictObject({
      name: z.string(),
      priority: z.int(),
      /** Who speaks for it; empty: whoever says so. */
      participants: z.array(z.string()),
    }),
  ),
});
export type DocumentRules = z.infer<typeof documentRules>;

/** A JSON Patch that sets and removes members of objects, and nothing else. */
export const change = z.discriminatedUnion('op', [
  z.strictObject({ op: z.enum(['add', 'replace']), path: pointer, value: z.unknown() }),
  z.strictObject({ op: z.literal('remove'), path: pointer }),
]);
const patch = z.array(change);

/** One side of a conflict: a value, or null where the field is not there. */
const side = z.strictObject({ value: z.unknown() }).nullable();

/** What was changed on both sides, and what became of it: each side's value, a merged one, or nothing yet. */
export const documentConflict = z.strictObject({
  id: z.string(),
  path: pointer,
  strategy,
  outcome: z.enum(['proposed', 'current', 'merged', 'open']),
  proposed: side,
  current: side,
  /** Who wrote what stood, as what source, in which version. */
  currentBy: z.string(),
  currentSource: z.string().nullable(),
  currentVersion: z.int().min(0),
});
export type DocumentConflict = z.infer<typeof documentConflict>;

/** What became of a proposal as a whole. */
export const OUTCOMES = ['applied', 'partly', 'rejected'] as const;

/** A document's version is the revision of its stream. Each event tells what it comes to by its digest, and holds what follows from it. */
export const documentEvents = defineStreamType({
  type: 'document',
  context: 'sync',
  events: {
    DocumentCreated: {
      version: 1,
      schema: z.strictObject({
        name: z.string(),
        repository: z.string().nullable(),
        body,
        digest,
        rules: documentRules,
        createdBy: z.string(),
      }),
    },
    /** What was proposed on the base version, as it was settled with what had come since. */
    DocumentProposalSettled: {
      version: 1,
      schema: z.strictObject({
        base: z.int().min(0),
        source: z.string().nullable(),
        proposedBy: z.string(),
        outcome: z.enum(OUTCOMES),
        patch,
        conflicts: z.array(documentConflict),
        digest,
      }),
    },
    DocumentConflictResolved: {
      version: 1,
      schema: z.strictObject({
        conflict: z.string(),
        path: pointer,
        choice: z.enum(['current', 'proposed', 'value']),
        resolvedBy: z.string(),
        patch,
        digest,
      }),
    },
    DocumentRulesChanged: {
      version: 1,
      schema: z.strictObject({ rules: documentRules, changedBy: z.string(), digest }),
    },
    /** The whole, now and then: any version is read from the last of these on. */
    DocumentKept: { version: 1, schema: z.strictObject({ body, digest }) },
    DocumentDeleted: { version: 1, schema: z.strictObject({ deletedBy: z.string(), digest }) },
  },
});
export type DocumentEvent = EventOf<typeof documentEvents>;

/** At each version that is a multiple of it the log has the whole document. */
export const KEPT_EVERY = 100;
