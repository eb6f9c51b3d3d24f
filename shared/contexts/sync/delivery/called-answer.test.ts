import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerIn, asksForChanges, calledAnswer, callsUs } from './called-answer.ts';

describe('words that call us', () => {
  test.each([
    ['@workledger approve', 'approve', null],
    ['  @Workledger[bot]: Approve, please', 'approve', 'please'],
    ['@workledger send-back It forgets\nthe moon.', 'send-back', 'It forgets\nthe moon.'],
    ['@workledger send back it', 'send-back', 'it'],
    ['@workledger reject not wanted', 'refuse', 'not wanted'],
    ['@workledger answer left', 'answer', 'left'],
  ])('%j', (text, verb, words) => {
    expect(calledAnswer(text)).toEqual({ verb, words });
  });
  test.each([
    'approve',
    '@workledger',
    '@workledger approved',
    '@workledgers approve',
    '> @workledger approve',
    'hi @workledger approve',
  ])('%j are no answer', (text) => {
    expect(calledAnswer(text)).toBeNull();
  });
  test.each([
    '@workledger please greet in French',
    'Hm. @workledger: greet in French',
    '@workledger send-back It forgets the moon.',
    'Not yet (@workledger[bot] send back the moon)',
    '@workledger approved is a bad word for it',
    '@workledger review what I say of add() and mend it',
    'I would not say "@workledger approve" now.\n@workledger rename it',
  ])('%j want changes', (text) => {
    expect([callsUs(text), asksForChanges(text)]).toEqual([true, true]);
  });
  test.each([
    '@workledger approve',
    'Fine. @workledger approve',
    'No. @workledger refuse it',
    'It is @workledger answer left',
    '@workledger review',
    'Thanks. @workledger Review again please.',
  ])('%j want none', (text) => {
    expect([callsUs(text), asksForChanges(text)]).toEqual([true, false]);
  });
  test.each(['greet in French', 'me@workledger.example', '@workledgers greet'])('%j call nobody', (text) => {
    expect([callsUs(text), asksForChanges(text)]).toEqual([false, false]);
  });
  test('of any kind never throw, and a text of nothing but calls is read to its end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const called = `@workledger ${text}`;
        return void [answerIn(text), calledAnswer(called), asksForChanges(`${text} ${called}`)];
      }),
    );
    // Were it more than linear, the test's own limit would end it.
    expect(asksForChanges('@workledger approve '.repeat(50_000))).toBe(false);
  });
});
