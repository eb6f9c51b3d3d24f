import { expect, test } from 'vitest';
import { refusalIn } from './unavailable.ts';

test.each([
  ['npm error code ENOAUDIT', 'it could not ask: npm error code ENOAUDIT'],
  ['first\nnpm error 403 Forbidden - POST https://registry.example.org\nA log is in x', /403 Forbidden/],
  ['requests.exceptions.HTTPError: 403 Client Error: Forbidden for url', /403 Client Error/],
  ['Max retries exceeded with url: /pypi/flask/0.5/json', /Max retries/],
  ['\u001b[31mgetaddrinfo EAI_AGAIN registry.example.org', /^it could not ask: \\u001b\[31mgetaddrinfo/],
  ['3 problems (3 errors, 0 warnings)', null],
  ['', null],
])('%j tells of a refusal, or not', (output, said) => {
  const found = refusalIn(output);
  if (said === null || typeof said === 'string') expect(found).toBe(said);
  else expect(found).toMatch(said);
});
