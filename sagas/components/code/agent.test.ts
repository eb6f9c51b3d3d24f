import { expect, test } from 'vitest';
import { claudeOutcome } from './agent.ts';

const good = {
  type: 'result',
  subtype: 'success',
  is_error: false,
  num_turns: 3,
  result: 'Done',
  total_cost_usd: 0.25,
};
const of = (...values: readonly unknown[]) =>
  claudeOutcome(Buffer.from(values.map((one) => JSON.stringify(one)).join('\n')));

test('a result object without error is a success with its cost', () => {
  expect(of(good)).toEqual({ problem: null, costUsd: 0.25 });
  expect(of({ ...good, total_cost_usd: undefined })).toEqual({ problem: null, costUsd: null });
});

test('it is found indented, as the last line of a stream, in an array, and behind other output', () => {
  expect(claudeOutcome(Buffer.from(JSON.stringify(good, null, 2))).problem).toBeNull();
  expect(of({ type: 'system', subtype: 'init' }, { type: 'assistant', message: {} }, good).problem).toBeNull();
  expect(of([{ type: 'system' }, good]).problem).toBeNull();
  expect(claudeOutcome(Buffer.from(`warning: {odd}\n${JSON.stringify(good)}\nbye`)).problem).toBeNull();
});

test('an API error that ends like a success is a failure that costs', () => {
  expect(of({ ...good, is_error: true, result: 'API Error: 529' })).toEqual({
    problem: 'the agent reports an error: API Error: 529',
    costUsd: 0.25,
  });
});

test.each(['error_max_turns', 'error_during_execution', 'error_max_budget_usd'])('%s is a failure', (subtype) => {
  const { problem } = of({ ...good, subtype, result: undefined, errors: ['limit'] });
  expect(problem).toBe(`the agent stopped with ${subtype}: limit`);
});

test('a prompt that never ran is a failure', () => {
  expect(of({ ...good, num_turns: 0, result: '' }).problem).toBe('the agent did not take a turn');
});

test('no result object is a failure', () => {
  expect(of({ type: 'assistant' }).problem).toMatch(/no result object/);
  expect(claudeOutcome(Buffer.from('Done!')).problem).toMatch(/no result object/);
});

test('of two result objects the last one counts', () => {
  expect(of(good, { ...good, is_error: true }).problem).toMatch(/reports an error/);
});
