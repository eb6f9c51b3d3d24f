import { z } from 'zod';

/** Names a body in the artefact store. */
export const artefact = z.strictObject({
  /** SHA-256, hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes. */
  size: z.int().min(0),
  mediaType: z.string().min(1).max(255),
});
export type ArtefactReference = z.infer<typeof artefact>;

export const uuid = z.uuid();
/** A Git commit id. */
export const commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
/** US dollars; null when nobody told. */
export const cost = z.number().min(0).nullable();
/** Measured values by name, as the `evaluate` command printed them. */
export const metrics = z.record(z.string().min(1).max(100), z.number());
export type Metrics = z.infer<typeof metrics>;

export const diffStat = z.strictObject({
  files: z.int().min(0),
  insertions: z.int().min(0),
  deletions: z.int().min(0),
});
export type DiffStat = z.infer<typeof diffStat>;

/**
 * Whose a failure is: of the work that was carried, of the component that carried it, of the origin (its server, its rules), or nobody's:
 * a limit of use that ends by itself. Only a component's faults open its breaker.
 */
export const fault = z.enum(['work', 'component', 'origin', 'limit']);
export type Fault = z.infer<typeof fault>;

/** Why a step failed, so that a person can act: what ran, how it ended, its last words, where the whole log is. */
export const failure = z.strictObject({
  step: z.string(),
  reason: z.string(),
  command: z.array(z.string()).nullable(),
  exitCode: z.int().nullable(),
  lastLines: z.array(z.string()),
  log: artefact.nullable(),
  /** Holds what a failed attempt had changed: it is no result, but it was paid for. */
  commit: commit.optional(),
});
export type Failure = z.infer<typeof failure>;

/** Whoever sends webhooks and is known to a plugin alone, under a name that none of Workledger's own will ever have. */
export const pluginProvider = z.templateLiteral(['x-', z.string().regex(/[a-z0-9][a-z0-9-]{0,37}/)]);

/** What an agent told of its own work in one attempt; null: it did not. */
export const agentTold = z.strictObject({
  turns: z.number().nullable().describe('as the agent counts them'),
  tokens: z.strictObject({ input: z.number(), output: z.number() }).nullable(),
  session: z.string().nullable().describe('under which the agent itself knows the attempt'),
  isResumed: z.boolean().describe('it went on with the session of an earlier attempt'),
});
export type AgentTold = z.infer<typeof agentTold>;

/** What went wrong, where only a reason is known; the one place that knows the shape of a failure. */
export const because = (step: string, reason: string): Failure => ({
  step,
  reason,
  command: null,
  exitCode: null,
  lastLines: [],
  log: null,
});
