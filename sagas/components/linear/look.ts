import { z } from 'zod';
import { defineComponent, inRun } from '../run-component.ts';
import { Refused } from '../replies/refused.ts';
import { asReplyFailure, replyLimits } from '../replies/reply.ts';

const ofIssue = z.object({ issue: z.object({ state: z.object({ type: z.string(), name: z.string() }) }) });
const LOOK = 'query($id: String!) { issue(id: $id) { state { type name } } }';
const ENDED = new Set(['completed', 'canceled', 'duplicate']);

/** Whether the issue that a task came from is open still; what is not known there counts as open. */
export const look = defineComponent({
  request: inRun.extend({ place: z.string().min(1).max(1_000) }),
  result: z.object({ isOpen: z.boolean(), state: z.string().nullable() }),
  limits: replyLimits,
  perform: async ({ place }, { environment: { linear }, signal, step }) => {
    if (linear === null || linear === undefined) return { isOpen: true, state: null };
    try {
      const { state } = (await linear.ask(LOOK, { id: place }, ofIssue, { signal, idempotent: true })).issue;
      return { isOpen: !ENDED.has(state.type), state: state.name };
    } catch (error) {
      if (error instanceof Refused && error.code === 'not-found') return { isOpen: true, state: null };
      throw asReplyFailure(step, error);
    }
  },
});
