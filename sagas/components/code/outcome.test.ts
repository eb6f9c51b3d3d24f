import { describe, expect, test } from 'vitest';
import { claudeOutcome, textLimit } from './outcome.ts';

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
  expect(of({ ...good, is_error: true, result: 'API Error: 500' })).toEqual({
    problem: 'the agent reports an error: API Error: 500',
    costUsd: 0.25,
  });
});

test.each(['error_during_execution', 'error_max_budget_usd'])('%s is a failure', (subtype) => {
  const { problem } = of({ ...good, subtype, result: undefined, errors: ['limit'] });
  expect(problem).toBe(`the agent stopped with ${subtype}: limit`);
});

test.each([true, false])('turns that are used up are named, also where it is told as an error: %s', (is_error) => {
  const { problem, costUsd } = of({ ...good, subtype: 'error_max_turns', is_error, num_turns: 60, result: '' });
  expect(problem).toBe('it used all its turns (60): raise --max-turns');
  expect(costUsd).toBe(0.25);
});

test('an error names its kind', () => {
  const { problem } = of({ ...good, subtype: 'error_during_execution', is_error: true, result: '', errors: [] });
  expect(problem).toBe('the agent stopped with error_during_execution');
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

describe('a limit of use', () => {
  const at = '2026-11-28T21:00:00.000Z';
  const seconds = Date.parse(at) / 1_000;

  test.each([
    ['an error', { ...good, is_error: true, result: `Claude AI usage limit reached|${seconds}` }, at],
    ['a success in name', { ...good, is_error: false, result: `Claude AI usage limit reached|${seconds}` }, at],
    ['milliseconds', { ...good, is_error: true, result: `5-hour limit reached|${seconds}000` }, at],
    ['no time', { ...good, is_error: true, result: '5-hour limit reached ∙ resets 3pm' }, null],
    [
      'the model overloaded',
      { ...good, is_error: true, result: 'API Error: 529 {"type":"error","error":{"type":"overloaded_error"}}' },
      null,
    ],
    ['a rate limit', { ...good, is_error: true, result: 'API Error: 429 rate_limit_error' }, null],
  ])('is known, with its end: %s', (_, result, until) => {
    expect(of(result)).toEqual({ problem: result.result, costUsd: null, limit: { until } });
  });

  test('its end is also told by an event of a stream', () => {
    const event = { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: seconds } };
    const result = { ...good, is_error: true, result: 'You’ve hit your limit' };
    expect(of(event, result)).toMatchObject({ limit: { until: at } });
  });

  test('is none where a success speaks of limits, or an error of something else', () => {
    expect(
      of({ ...good, result: 'I made the client wait on 429 and "usage limit reached" answers.' }).problem,
    ).toBeNull();
    expect(of({ ...good, is_error: true, result: 'API Error: 400' })).not.toHaveProperty('limit');
  });

  test('of an agent that prints text is in its last lines', () => {
    expect(textLimit(Buffer.from(`working\nClaude AI usage limit reached|${seconds}\n`))).toEqual({ until: at });
    expect(textLimit(Buffer.from('API Error: Request rejected (429)\n'))).toEqual({ until: null });
    expect(textLimit(Buffer.from('the test of 429 answers failed'))).toBeNull();
  });
});

describe('failures name what happened', () => {
  test('turns that are used up', () => {
    const { problem } = of({ ...good, subtype: 'error_max_turns', num_turns: 60, result: undefined });
    expect(problem).toBe('it used all its turns (60): raise --max-turns');
  });

  test('what it said on standard error, where it printed no result', () => {
    const { problem } = claudeOutcome(Buffer.from(''), Buffer.from('starting\nInvalid API key · run /login\n'));
    expect(problem).toMatch(/printed no result object.*It said: starting \| Invalid API key · run \/login$/);
  });

  test('JSON that ends in the middle: with its cost, and open to the tests', () => {
    const whole = JSON.stringify({ ...good, result: 'x'.repeat(70_000) });
    const { problem, isOpen } = claudeOutcome(Buffer.from(whole.slice(0, 65_536)));
    expect(problem).toBe('the output ends in the middle of its JSON after 65,536 bytes');
    expect(isOpen).toBe(true);
    const first = JSON.stringify({ type: 'result', total_cost_usd: 0.5, result: 'x'.repeat(100) });
    expect(claudeOutcome(Buffer.from(first.slice(0, 90)))).toMatchObject({ costUsd: 0.5, isOpen: true });
    const error = JSON.stringify({ type: 'result', is_error: true, result: 'x'.repeat(100) }).slice(0, 90);
    expect(claudeOutcome(Buffer.from(error))).not.toHaveProperty('isOpen');
  });

  test('null is as good as absent', () => {
    const nulls = { result: null, errors: null, subtype: null, is_error: null };
    expect(of({ ...good, ...nulls })).toEqual({ problem: null, costUsd: 0.25 });
    expect(of({ ...good, total_cost_usd: null })).toEqual({ problem: null, costUsd: null });
  });
});
