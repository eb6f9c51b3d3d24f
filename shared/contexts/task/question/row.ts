import { z } from 'zod';
import { role } from '../../agent/key/events.ts';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { commit, uuid } from '../../values.ts';
import { DEADLINE_ACTIONS, VIA } from './events.ts';

export const questionStates = ['open', 'answered', 'failed', 'withdrawn'] as const;

export const questionRow = z.strictObject({
  id: uuid,
  revision,
  state: z.enum(questionStates),
  taskId: uuid.nullable(),
  runId: uuid.nullable().describe('the claim of the task under which it was asked'),
  repository: z.string().nullable(),
  askedBy: z.string(),
  askeeKind: z.enum(['participant', 'role', 'team']),
  askee: z.string().describe('who is to answer: a participant, a role or a team'),
  escalatedTo: role.nullable().describe('who may answer, too, since the deadline has passed'),
  text: z.string().describe('personal'),
  choices: z.array(z.string()).describe('empty: it is answered by words'),
  approvalOf: commit.nullable().describe('the commit whose merge is to be approved; null: it is another question'),
  deadline: time.nullable(),
  onDeadline: z.enum(DEADLINE_ACTIONS).nullable(),
  defaultAnswer: z.string().nullable(),
  choice: z.string().nullable(),
  words: z.string().nullable().describe('personal'),
  answeredBy: z.string().nullable().describe('null: nobody, or the default'),
  via: z
    .enum([...VIA, 'default'])
    .nullable()
    .describe('where it was answered; default: its deadline passed'),
  reason: z.string().nullable().describe('why it was withdrawn, or has no answer'),
  askedAt: time,
  endedAt: time.nullable(),
});
export type QuestionRow = RowOf<typeof questionRow>;

export const questionModel = defineReadModel({
  name: 'questions',
  version: 1,
  table: 'questions',
  streams: ['question'],
  schema: questionRow,
});
