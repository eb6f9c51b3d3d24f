import { expect, test } from 'vitest';
import { fuzzConfiguration } from './configuration.ts';

const operation = (operationId: string, responses: Record<string, string>, roles: readonly string[]) => ({
  operationId,
  responses: Object.fromEntries(Object.entries(responses).map(([status, description]) => [status, { description }])),
  'x-roles': roles,
});

test('what a request that fits may be answered is what its route names, without what says that it does not fit', () => {
  const text = fuzzConfiguration(
    {
      paths: {
        '/a': { get: operation('get-a', { 200: '', 400: '', 404: '', 500: '', 503: 'not-yet-visible' }, ['admin']) },
        '/b': { post: operation('post-b', { 201: '', 400: '', 422: '', 503: 'unavailable' }, ['service']) },
        '/c': { get: operation('get-c', { 200: '' }, ['admin']) },
      },
    },
    { seed: 7, examples: 3, without: ['get-c'] },
  );
  const [common = '', a = '', b = '', c = ''] = text.split('[[operations]]');
  expect(common).toContain('seed = 7\n');
  expect(a).toContain('positive_data_acceptance = { enabled = true, expected-statuses = ["200","404","503"] }');
  expect(b).toContain('positive_data_acceptance = { enabled = true, expected-statuses = ["201","422"] }');
  expect(b).toContain('not_a_server_error = { enabled = true, expected-statuses = ["2xx","3xx","4xx"] }');
  expect(c).toBe('\ninclude-operation-id = "get-c"\nenabled = false\n');
  expect([a, b].map((part) => part.includes('WORKLEDGER_SERVICE_KEY'))).toEqual([false, true]);
});
