import { z } from 'zod';
import type { Fault } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure, Postponed } from '../../engine/component.ts';
import { linkToTask, type AskedQuestion } from '../environment.ts';
import { failureOf } from '../failures.ts';
import { LimitReached, NotAllowed, TargetAway } from '@workledger/shared/outbound/failures.ts';
import { defineComponent, inRun, type Call, type Limits } from '../run-component.ts';
import { Refused, STAGES } from './refused.ts';

/** What is told where a task came from. Each name (`about`) has one message there, which is told anew in its place. */
export const replyRequest = inRun.extend({
  /** The issue or thread, as the task's source names it. */
  place: z.string().min(1).max(1_000),
  about: z.string().regex(/^[\w.:/@-]{1,300}$/),
  /** What the provider calls the message, where it was told before. */
  known: z.string().nullable(),
  /** Whom it is for; null: whoever reads it. */
  to: z.string().nullable(),
  /** Our own words; those of persons are read where they are kept. */
  text: z.string().min(1).max(20_000),
  /** Why, in words of others. */
  reason: z.string().max(20_000).optional(),
  /** Whose words the message is about. */
  questionId: z.uuid().nullable(),
  /** It waits for its answer. */
  isOpen: z.boolean(),
  stage: z.enum(STAGES).nullable(),
  /** Of Linear's issue: the state that it was in when it was seen last. */
  state: z.string().nullable(),
  /** URLs, where the place is the issue that one of them is attached to: the first that is. */
  attachedTo: z.array(z.string().min(1).max(2_000)).min(1).max(2).optional(),
  /** What is to be changed is said there in words of one's own: its run reads them. */
  onPullRequest: z.boolean().optional(),
});
export type ReplyRequest = z.infer<typeof replyRequest>;

/** `off`: the configuration has no login for it; `gone`: somebody removed the message, and it stays so, or there is no such question; `nowhere`: to no issue is attached what it is about. */
const replyResult = z.object({
  outcome: z.enum(['written', 'updated', 'gone', 'off', 'nowhere']),
  id: z.string().nullable(),
  state: z.string().nullable(),
});
export type ReplyResult = z.infer<typeof replyResult>;

export const replyLimits: Limits = { turns: { atOnce: () => 16 }, seconds: () => 240 };

/** What a message says, in parts that each provider writes in its own way. */
export type Message = {
  /** A headline, in words of others. */
  readonly title: string | null;
  readonly text: string;
  /** What is asked, or why something ended, in words of others. */
  readonly words: string | null;
  readonly link: string | null;
  readonly choices: readonly string[];
  readonly isApproval: boolean;
  /** It waits for its answer. */
  readonly isOpen: boolean;
};

/** Reads what the message is about. @returns null: its question is not there */
async function messageOf(request: ReplyRequest, { environment, secrets }: Call): Promise<Message | null> {
  const { taskId, about, questionId, isOpen, reason } = request;
  const text = secrets.text(request.text);
  const words = reason === undefined ? null : secrets.text(reason);
  const link = about.startsWith('task') || questionId !== null ? linkToTask(environment, taskId) : null;
  const plain = { text, link, words, choices: [], isApproval: false, isOpen: false };
  if (questionId === null) {
    const isOfTask = about.startsWith('task');
    return { ...plain, title: isOfTask ? secrets.text((await environment.readTask(taskId)).title) : null };
  }
  const question: AskedQuestion | null = (await environment.readQuestion?.(questionId)) ?? null;
  if (question === null || question.taskId !== taskId) return null;
  return {
    ...{ text, link, title: null, words: secrets.text(question.text), isApproval: question.approval !== null },
    isOpen,
    choices: isOpen ? question.choices : [],
  };
}

/** How a question is answered by words. @param name what the words begin with */
export function howToAnswer({ choices, isApproval }: Message, name: string, sendsBack = true): string {
  if (isApproval && !sendsBack) return `Answer by \`${name} approve\`, or \`${name} refuse\` and why.`;
  if (isApproval)
    return `Answer by \`${name} approve\`, \`${name} send-back\` and what is wrong, or \`${name} refuse\` and why.`;
  return choices.length === 0
    ? `Answer by \`${name} answer\` and your words.`
    : `Answer by \`${name} answer\` and one of: ${choices.join(', ')}.`;
}

/** What went wrong on the way out, as the failure of a step. */
export function asReplyFailure(step: string, error: unknown): unknown {
  if (error instanceof LimitReached) return new Postponed(failureOf(step, error.message));
  const fail = (message: string, retryable: boolean, fault: Fault): ComponentFailure =>
    new ComponentFailure(failureOf(step, message), { retryable, fault, cause: error });
  if (error instanceof NotAllowed) return fail(error.message, false, 'component');
  if (error instanceof TargetAway) return fail(error.message, true, 'origin');
  return error instanceof Refused ? fail(error.message, error.passing, 'origin') : error;
}

type Telling<System> = {
  /** What is told there; null: the configuration has no login for it, or the place is none of its own. */
  of(call: Call, request: ReplyRequest): System | null | undefined;
  tell(system: System, request: ReplyRequest, message: Message, call: Call): Promise<ReplyResult>;
  readonly asFailure?: (step: string, error: unknown) => unknown;
};

/** A component that tells in one system: each name has one message there, which is told anew in its place. */
export const replyComponent = <System>({ of, tell, asFailure = asReplyFailure }: Telling<System>) =>
  defineComponent({
    ...{ request: replyRequest, result: replyResult, limits: replyLimits },
    perform: async (request, call): Promise<ReplyResult> => {
      const system = of(call, request);
      if (system === null || system === undefined) return { outcome: 'off', id: null, state: null };
      try {
        const message = await messageOf(request, call);
        if (message === null) return { outcome: 'gone', id: null, state: null };
        return await tell(system, request, message, call);
      } catch (error) {
        throw asFailure(call.step, error);
      }
    },
  });
