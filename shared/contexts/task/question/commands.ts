import { z } from 'zod';
import { role, type Role } from '../../agent/key/events.ts';
import { defineCommands, workers } from '../../define-commands.ts';
import { participant } from '../../participant.ts';
import { text, uuid, word } from '../../text.ts';
import { commit } from '../../values.ts';

/** Whoever may be asked: what a question is about is no matter of the role, but of whom it is for. */
const everybody = ['viewer', 'agent', 'operator', 'auditor', 'admin'] as const satisfies readonly Role[];

const answering = role.exclude(['service']);
const askee = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('participant'), participant }),
  z.strictObject({ kind: z.literal('role'), role: answering }),
  z.strictObject({ kind: z.literal('team'), team: word }),
]);

const LONGEST_SECONDS = 366 * 86_400;
const words = text(10_000, 1);

const deadline = z.strictObject({
  seconds: z.int().min(1).max(LONGEST_SECONDS).describe('from now'),
  then: z
    .discriminatedUnion('do', [
      z.strictObject({ do: z.literal('default'), answer: words }),
      z.strictObject({ do: z.literal('fail') }),
      z.strictObject({ do: z.literal('escalate'), role: answering }),
    ])
    .describe('default: this is the answer; fail: there is none; escalate: whoever has the role may answer, too'),
});

export const questionCommands = defineCommands({
  'question.ask': {
    data: z.strictObject({
      askee,
      text: words,
      choices: z.array(text(200, 1)).max(20).default([]).describe('empty: it is answered by words'),
      taskId: uuid.nullable().default(null),
      claimId: uuid.nullable().default(null).describe('under which an agent asks about its task: its own'),
      repository: text(200, 1).nullable().default(null).describe('of a question about a task: that of the task'),
      deadline: deadline.nullable().default(null),
    }),
    roles: workers,
    creates: true,
  },
  /** Asks for the approval of a commit; answers `details.stands`: what was answered before about it, or that it is asked. */
  'question.ask-approval': {
    data: z.strictObject({
      taskId: uuid,
      runId: uuid,
      askee,
      commit,
      base: commit,
    }),
    sentBy: ['saga'],
  },
  /** Asks how a run is to go on at a commit; once, whoever asks again. */
  'question.ask-choice': {
    data: z.strictObject({
      taskId: uuid,
      runId: uuid,
      askee,
      commit,
      text: words,
      choices: z.array(text(200, 1)).min(1).max(20),
    }),
    sentBy: ['saga'],
  },
  'question.answer': {
    data: z.strictObject({ choice: text(200, 1).nullable().default(null), words: words.nullable().default(null) }),
    roles: everybody,
    alone: true,
  },
  /** Answers by a delivery, whose words and sender stand in its own stream. */
  'question.answer-delivery': { data: z.strictObject({ deliveryId: uuid }), sentBy: ['saga'] },
  'question.withdraw': {
    data: z.strictObject({ reason: text(1_000, 1).default('withdrawn on request') }),
    roles: workers,
    sentBy: ['saga'],
  },
  /** Does what is to happen at this deadline; answers `details.dueAt` while it is early. */
  'question.meet-deadline': { data: z.strictObject({ at: z.iso.datetime() }), sentBy: ['saga'] },
});
