import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerIn, calledAnswer } from './called-answer.ts';

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
  test('of any kind never throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void [answerIn(text), calledAnswer(`@workledger ${text}`)]),
    );
  });
});
