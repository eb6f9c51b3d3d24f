import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { z } from 'zod';
import type { Compensation, Step } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { CHOICES } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { callOf } from '@workledger/shared/workflows/callable.ts';
import { ExpressionFailed, type Scope } from '@workledger/shared/workflows/expression.ts';
import { fill, holds } from '@workledger/shared/workflows/template.ts';
import { command, timer, type EffectRequest } from '../engine/saga.ts';
import { keyOf } from './state.ts';
import { bytesOf, LARGEST_REQUEST, type Way } from './way.ts';

const CALL_SECONDS = 60;
const seconds = z
  .number()
  .min(0)
  .max(366 * 86_400);

/** What a step asks for when it begins. */
type Begun =
  | { readonly effect: EffectRequest; readonly awaits?: string }
  /** It needs nobody. */
  | { readonly result: unknown };

/** What the attempt of a step asks for. @throws ExpressionFailed where what it is given cannot be had */
export function begun(way: Way, step: Step, entry: { readonly round: number; readonly attempt: number }): Begun {
  const scope = way.scope();
  const key = keyOf(step.id, entry);
  const runId = way.run.id;
  const own = { step: step.id, ...entry };
  switch (step.kind) {
    case 'command':
    case 'call':
      return { effect: fitting(actionOf(way, step, key, { scope, round: entry.round, undo: false })) };
    case 'timer':
      return { effect: timer(key, demand(seconds, fill(step.seconds, scope), 'seconds')) };
    case 'choice': {
      const found = step.cases.find(({ when }) => holds(when, scope))?.choice ?? step.otherwise;
      if (found === undefined) throw new ExpressionFailed('none of its cases holds');
      return { result: { choice: found } };
    }
    case 'approval': {
      const questionId = derivedId('workflow-question', runId, key);
      const text = demand(z.string().min(1).max(10_000), fill(step.text, scope), 'text');
      const data = { questionId, step: step.id, askee: step.askee, text, choices: [...(step.choices ?? CHOICES)] };
      return { effect: command(key, 'workflow-run.ask', runId, data), awaits: questionId };
    }
    case 'wait': {
      const of = step.of === undefined ? null : demand(z.uuid(), fill(step.of, scope), 'of').toLowerCase();
      const where = (step.where ?? []).map(({ field, equals }) => ({ field, equals: fill(equals, scope) }));
      const effect = command(key, 'workflow-run.await', runId, { ...own, events: step.events, of, where });
      return { effect: fitting(effect), awaits: step.events.join(', ') };
    }
    case 'workflow': {
      const childId = derivedId('workflow-run', runId, key);
      const inputs = fill(step.inputs ?? {}, scope) as Record<string, unknown>;
      const { workflow: workflowId, version } = step;
      const data = { runId, step: step.id, workflowId, inputs, ...(version !== undefined && { version }) };
      return { effect: fitting(command(key, 'workflow-run.start-child', childId, data)), awaits: childId };
    }
  }
}

/** The effect that does, or undoes, a step. @throws ExpressionFailed */
export function actionOf(
  way: Way,
  action: (Compensation | Extract<Step, { kind: 'command' | 'call' }>) & {
    readonly id?: string;
    readonly timeoutSeconds?: number | undefined;
  },
  key: string,
  {
    scope,
    round,
    undo,
    id,
  }: { readonly scope: Scope; readonly round: number; readonly undo: boolean; readonly id?: string },
): EffectRequest {
  const step = id ?? action.id ?? '';
  if (action.kind === 'call') {
    const { component, timeoutSeconds = CALL_SECONDS } = action;
    const calling = { runId: way.run.id, step, undo, repositories: way.run.repositories };
    return { kind: 'call', key, ...callOf(component, fill(action.request, scope), calling), timeoutSeconds };
  }
  const target = action.target === undefined ? null : demand(z.uuid(), fill(action.target, scope), 'target');
  const data = fill(action.data ?? {}, scope);
  return command(key, 'workflow-run.perform', way.run.id, { step, round, undo, type: action.command, target, data });
}

function demand<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const { data, error } = schema.safeParse(value);
  if (error !== undefined) throw new ExpressionFailed(`${what}: ${error.issues[0]?.message ?? 'it does not fit'}`);
  return data;
}

/** @throws ExpressionFailed where it would stand in no event */
export function fitting(effect: EffectRequest): EffectRequest {
  const length = bytesOf(effect);
  if (length > LARGEST_REQUEST)
    throw new ExpressionFailed(`what it is given has ${length} bytes: ${LARGEST_REQUEST} at most`);
  return effect;
}
