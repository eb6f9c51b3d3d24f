import { z } from 'zod';
import { role } from '../../agent/key/events.ts';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { commit, uuid } from '../../values.ts';

/** Who is to answer: a person or an agent by what their keys act as (`user:`, `key:` or `agent:<uuid>`), whoever has a role, or a team. */
export const askee = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('participant'), participant: z.string() }),
  z.strictObject({ kind: z.literal('role'), role }),
  z.strictObject({ kind: z.literal('team'), team: z.string() }),
]);
export type Askee = z.infer<typeof askee>;

/** What happens at the deadline of a question that nobody has answered. */
export const DEADLINE_ACTIONS = ['default', 'fail', 'escalate'] as const;

/** What an approval is about, and whose work it is: they do not approve it themselves. */
const approval = z.strictObject({ commit, base: commit, makers: z.array(z.string()) });

/** The choices of an approval. */
export const APPROVAL_CHOICES = ['approve', 'send-back', 'refuse'] as const;
export type ApprovalChoice = (typeof APPROVAL_CHOICES)[number];

/** What whoever comes late is told. */
export const ANSWERED_BEFORE = 'this question was answered before, and that answer stands';

export const VIA = ['api', 'github', 'linear', 'slack'] as const;

/** Of which task, and of which run of it: null where it is about none. */
const about = { taskId: uuid.nullable(), runId: uuid.nullable() };

export const questionEvents = defineStreamType({
  type: 'question',
  context: 'task',
  events: {
    QuestionAsked: {
      version: 1,
      schema: z.strictObject({
        ...about,
        askedBy: z.string(),
        askee,
        text: personal('askedBy'),
        /** Empty: it is answered by words. */
        choices: z.array(z.string()),
        repository: z.string().nullable(),
        deadline: z
          .strictObject({
            at: z.iso.datetime(),
            then: z.enum(DEADLINE_ACTIONS),
            /** Of `default`: a choice where there are some, else words. */
            answer: z.string().optional(),
            /** Of `escalate`. */
            role: role.optional(),
          })
          .nullable(),
        approval: approval.nullable(),
      }),
    },
    QuestionAnswered: {
      version: 1,
      schema: z.strictObject({
        ...about,
        choice: z.string().nullable(),
        words: personal('answeredBy').nullable(),
        answeredBy: z.string(),
        via: z.enum(VIA),
      }),
    },
    /** Nobody answered in time: its default is the answer. */
    QuestionDefaulted: {
      version: 1,
      schema: z.strictObject({ ...about, choice: z.string().nullable(), words: z.string().nullable() }),
    },
    /** Nobody answered in time: whoever has this role may answer, too. */
    QuestionEscalated: { version: 1, schema: z.strictObject({ ...about, role }) },
    /** Nobody answered in time, and there is no answer. */
    QuestionFailed: { version: 1, schema: z.strictObject({ ...about, reason: z.string() }) },
    QuestionWithdrawn: {
      version: 1,
      schema: z.strictObject({ ...about, withdrawnBy: z.string(), reason: z.string() }),
    },
  },
});
export type QuestionEvent = EventOf<typeof questionEvents>;
