import { expect, it } from 'vitest';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { because } from '../engine/component.ts';
import { accept, fold, newInstance, type Trigger } from '../engine/instance.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { done } from './definition.ts';
import { definePipeline } from './pipeline.ts';

const pipeline = definePipeline<null>({
  ...{ name: 'code-evolution', topics: [], correlate: () => null, facts: null, absorb: () => null },
  ...{ ready: () => true, stopped: () => null, conclude: () => done() },
  steps: [{ name: 'known', run: () => done() }],
});
const stepChanged = (step: string, state: 'started' | 'failed', detail: object = {}): SagaEvent => ({
  type: 'SagaStepChanged',
  data: { step, round: 1, attempt: 1, state, detail },
});
const undoes = (step: string) => ({ failure: because(step, 'no'), undo: [{ step, abandoned: false }] });
const input: Trigger = {
  type: 'SagaInputReceived',
  data: { source: { stream: streamName('task', newId()), revision: 0, eventId: newId() }, type: 'any', data: {} },
};

it.each([
  ['is under way', [stepChanged('newer', 'started')]],
  ['is to be undone', [stepChanged('known', 'started'), stepChanged('known', 'failed', undoes('newer'))]],
])('a step that this version does not know, and that %s, is nothing that it goes past', (_, history) => {
  const instance = newInstance(pipeline);
  for (const event of history) fold(pipeline, instance, event);
  expect(() => accept(pipeline, instance, input, new Date(0))).toThrow('has no step newer');
});
