import { z } from 'zod';
import { defineStreamType, past, personal, type EventOf } from '../../define-events.ts';
import { derivedId } from '../../stream.ts';
import { artefact, commit, pluginProvider, uuid } from '../../values.ts';

/** What somebody says to a question: of an approval one of its choices, else words or a choice. */
export const ANSWERS = ['approve', 'send-back', 'refuse', 'answer'] as const;

/** Who may send webhooks; those that Workledger has no provider for are names for a plugin's. */
export const provider = z.union([z.enum(['github', 'linear', 'slack', 'gitlab', 'gitea']), pluginProvider]);
export type ProviderName = z.infer<typeof provider>;

const createTask = z.strictObject({
  kind: z.literal('create-task'),
  title: z.string(),
  description: personal('sender'),
  repository: z.string(),
  labels: z.array(z.string()),
  priority: z.int().min(1).max(5),
  capabilities: z.array(z.string()),
  /** Where the task comes from; its kind is the provider. */
  source: z.strictObject({ kind: provider, reference: z.string(), url: z.string().nullable() }),
  requester: personal('sender').nullable(),
});
const cancelTask = z.strictObject({ kind: z.literal('cancel-task'), reason: z.string() });

const routed = z.strictObject({
  rule: z.string(),
  taskId: uuid,
  intent: z.discriminatedUnion('kind', [createTask, cancelTask]),
});

/** Version 1 knew one provider, and did not name it. */
const routedV1 = routed.extend({
  intent: z.discriminatedUnion('kind', [
    createTask.omit({ source: true }).extend({ reference: z.string(), url: z.string().nullable() }),
    cancelTask,
  ]),
});
const routedFromV1 = past(routedV1, routed, ({ intent, ...rest }) => {
  if (intent.kind !== 'create-task') return { ...rest, intent };
  const { reference, url, ...same } = intent;
  return { ...rest, intent: { ...same, source: { kind: 'github' as const, reference, url } } };
});

export const deliveryEvents = defineStreamType({
  type: 'delivery',
  context: 'sync',
  events: {
    DeliveryReceived: {
      version: 1,
      schema: z.strictObject({
        provider,
        deliveryId: z.string(),
        event: z.string(),
        action: z.string().nullable(),
        /** The repository as the provider names it. */
        repository: z.string().nullable(),
        sender: personal('sender').nullable(),
        body: artefact,
        /** On the provider's clock; left out where it does not say. Much before it was recorded: it came late, or again. */
        sentAt: z.iso.datetime().optional(),
      }),
    },
    /** A rule turned the delivery into work on a task. */
    DeliveryRouted: { version: 2, schema: routed, past: { 1: routedFromV1 } },
    /** Something happened to the pull request of a task: its run looks. */
    DeliveryNoticed: { version: 1, schema: z.strictObject({ taskId: uuid, pullRequest: z.int().positive() }) },
    /** Somebody answers, where the task came from, what it asks there. */
    DeliveryAnswered: {
      version: 1,
      schema: z.strictObject({
        taskId: uuid,
        /** Where it is named; null: the one that is open. */
        questionId: uuid.nullable(),
        repository: z.string(),
        verb: z.enum(ANSWERS),
        /** One of the question's, as a button has it; left out: the verb or the words say it. */
        choice: z.string().optional(),
        words: personal('by').nullable(),
        /** `slack:U0123ABCD`: by an id that the provider gave, where it has one. */
        by: z.string(),
        /** Who is not is told so, and changes nothing. */
        isTrusted: z.boolean(),
        /** On which it was said, where its text names the task: anybody may write that into theirs. */
        pullRequest: z.int().positive().optional(),
      }),
    },
    /** A pull request of others is to be reviewed, at this head. */
    DeliveryReviewAsked: {
      version: 1,
      schema: z.strictObject({
        reviewId: uuid,
        repository: z.string(),
        pullRequest: z.int().positive(),
        /** Null: it was asked for in a comment, and is looked up. */
        head: commit.nullable(),
        /** Whose place it takes. */
        before: commit.nullable(),
        /** Its code is run as our own is; of others it is read. */
        isTrusted: z.boolean(),
      }),
    },
    /** Of a review's own stream: the head that was looked up, and is to be reviewed. */
    ReviewHeadNamed: {
      version: 1,
      schema: z.strictObject({
        reviewId: uuid,
        repository: z.string(),
        pullRequest: z.int().positive(),
        head: commit,
        isTrusted: z.boolean(),
      }),
    },
    /** Of a review's own stream: another head took the place of its own. */
    ReviewSuperseded: { version: 1, schema: z.strictObject({ reviewId: uuid }) },
    /** Of a day's own stream: this review was begun on it. */
    ReviewCounted: { version: 1, schema: z.strictObject({ reviewId: uuid }) },
    DeliveryIgnored: {
      version: 1,
      schema: z.strictObject({
        reason: z.string(),
        /** It starts no work, but what the app is installed for may be something else now: that is looked at. */
        installation: z.literal(true).optional(),
      }),
    },
    /** Of a body's own stream: which delivery brought it first, here and as the provider names it. */
    DeliveryBodyNoted: { version: 1, schema: z.strictObject({ id: uuid, deliveryId: z.string() }) },
    /** Of an issue's own stream: of when the newest state is that led to something, on the provider's clock. */
    IssueStateNoted: {
      version: 1,
      schema: z.strictObject({
        updatedAt: z.iso.datetime(),
        /** The rule that asked for work on it last: what it asks for may be taken back. */
        rule: z.string().optional(),
        /** Those that asked before it, or with it. */
        earlier: z.array(z.string()).optional(),
        /** Whose emoji asked first, which they take back; `(words)`: none's. */
        begunBy: z.string().optional(),
      }),
    },
    /** Of a message's own stream: which delivery here brought its newest words, and when they were said, as the provider tells it. */
    MessageNoted: { version: 1, schema: z.strictObject({ id: uuid, saidAt: z.string() }) },
  },
});
export type DeliveryEvent = EventOf<typeof deliveryEvents>;

/** The stream id of a delivery: a replay meets the first one's stream. */
export const deliveryStreamId = (provider: string, deliveryId: string): string =>
  derivedId('delivery', provider, deliveryId);

/** The stream id of what is known of a body: the signature is over it alone, so a captured one may come under any delivery id. */
export const bodyStreamId = (provider: string, digest: string): string => derivedId('delivery-body', provider, digest);

/** The stream id of what is known of an issue's age. @param issue as for `taskIdOfIssue` */
export const issueStreamId = (provider: string, repository: string, issue: number | string): string =>
  derivedId('delivery-issue', provider, repository.toLowerCase(), String(issue));

/** The stream id of what is known of a message's words. @param message its id, as its channel knows it */
export const messageStreamId = (provider: string, repository: string, message: string): string =>
  derivedId('delivery-message', provider, repository.toLowerCase(), message);

/** The review of one head of a pull request: there is one. @param repository as it is registered @param head or what names who asked */
export const reviewIdOf = (repository: string, number: number, head: string): string =>
  derivedId('review', repository, String(number), head);

/** The stream id of what is counted of a repository's reviews. @param day `2026-01-31` */
export const reviewDayId = (repository: string, day: string): string => derivedId('review-day', repository, day);

/** The task that an issue leads to. @param issue its number or id, as its repository knows it */
export const taskIdOfIssue = (provider: string, repository: string, issue: number | string): string =>
  derivedId('task', provider, repository.toLowerCase(), String(issue));
