import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signatureMatches } from './signature.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('the vector of the GitHub documentation', () => {
  const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  expect(signatureMatches(bytes('Hello, World!'), header, ["It's a Secret to Everybody"])).toBe(true);
});

test('the vector of octokit', () => {
  const header = 'sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3';
  expect(signatureMatches(bytes('{"foo":"bar"}'), header, ['mysecret'])).toBe(true);
});

const sign = (text: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;

test('either of two active secrets will do', () => {
  for (const secret of ['old', 'new'])
    expect(signatureMatches(bytes('{}'), sign('{}', secret), ['old', 'new'])).toBe(true);
});

test('another body, another secret, another form: no', () => {
  const good = sign('{}', 'secret');
  expect(signatureMatches(bytes('{} '), good, ['secret'])).toBe(false);
  expect(signatureMatches(bytes('{}'), good, ['other'])).toBe(false);
  for (const header of [undefined, '', 'sha256=', good.slice(0, -1), good.slice(7), good.toUpperCase(), `${good}00`])
    expect(signatureMatches(bytes('{}'), header, ['secret'])).toBe(false);
});

test('without a secret, or with an empty one, nothing matches', () => {
  expect(signatureMatches(bytes('{}'), sign('{}', ''), [''])).toBe(false);
  expect(signatureMatches(bytes('{}'), 'sha256=', [])).toBe(false);
});
