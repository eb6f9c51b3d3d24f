import { expect, test } from 'vitest';
import { fuzzConfiguration, onlyAsked } from './configuration.ts';

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
      },
    },
    { seed: 7, examples: 3 },
  );
  const [common = '', a = '', b = ''] = text.split('[[operations]]');
  expect(common).toContain('seed = 7\n');
  expect(a).toContain('positive_data_acceptance = { enabled = true, expected-statuses = ["200","404","503"] }');
  expect(b).toContain('positive_data_acceptance = { enabled = true, expected-statuses = ["201","422"] }');
  expect(b).toContain('not_a_server_error = { enabled = true, expected-statuses = ["2xx","3xx","4xx"] }');
  expect([a, b].map((part) => part.includes('WORKLEDGER_SERVICE_KEY'))).toEqual([false, true]);
});

test('what is not asked is not in the description that the checker reads', () => {
  const [one, two, three] = ['one', 'two', 'three'].map((id) => operation(id, { 200: '' }, ['admin']));
  const described = { openapi: '3.1.0', paths: { '/a': { get: one!, post: two! }, '/b': { get: three! } } };
  expect(onlyAsked(described, {})).toEqual(described);
  const second = onlyAsked(described, { isAsked: (_, index) => index === 1 });
  expect(second).toEqual({ openapi: '3.1.0', paths: { '/a': { post: two } } });
  const third = onlyAsked(described, { isAsked: (id) => id === 'three' });
  expect(third).toEqual({ openapi: '3.1.0', paths: { '/b': { get: three } } });
});
