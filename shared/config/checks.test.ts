import { expect, test } from 'vitest';
import { parseConfiguration } from './load.ts';

const faultsOf = (...checks: readonly object[]): string => {
  const repository = { name: 'shop', url: '/shop', test: ['true'], checks };
  try {
    parseConfiguration(JSON.stringify({ repositories: [repository] }), 'workledger.json');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};
const lint = { name: 'lint', command: ['eslint', '-f', 'json'], report: { format: 'eslint' } };

test('a check is taken with its defaults', () => {
  const text = JSON.stringify({ repositories: [{ name: 'shop', url: '/shop', test: ['true'], checks: [lint] }] });
  expect(parseConfiguration(text, 'workledger.json').repositories[0]?.checks).toEqual([
    {
      ...lint,
      report: { format: 'eslint', path: null },
      policy: 'required',
      onUnavailable: 'fail',
      timeoutSeconds: null,
      parallel: true,
      when: null,
    },
  ]);
});

test('what is wrong is told in one line each, with what mends it', () => {
  expect(faultsOf({ ...lint, name: 'tests' })).toBe(
    'workledger.json: repositories[0].checks[0].name: "tests" → that is the check of "test"; use another',
  );
  expect(faultsOf(lint, lint)).toContain('checks[1].name: "lint" → checks[0] has it already; use another');
  expect(faultsOf({ ...lint, report: null, policy: { failAt: 'high' } })).toContain(
    'checks[0].report: null → say format and path: "failAt" judges by findings, which only a report tells',
  );
  expect(faultsOf({ ...lint, report: { format: 'sarif', path: '../x' } })).toContain('a path within the repository');
  expect(faultsOf({ ...lint, report: { format: 'sarif', path: '/x' } })).toContain('a path within the repository');
  expect(faultsOf({ ...lint, report: { format: 'checkstyle' } })).toContain('checks[0].report.format: "checkstyle" →');
  expect(faultsOf({ ...lint, policy: 'strict' })).toContain('checks[0].policy: "strict" →');
  expect(faultsOf({ ...lint, name: 'Lint it' })).toContain('small letters, digits');
  expect(faultsOf({ ...lint, retries: 3 })).toContain('checks[0].retries: unknown field → remove it, or use one of');
});
