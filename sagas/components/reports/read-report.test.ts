import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { REPORT_FORMATS } from '@workledger/shared/config/checks.ts';
import { MOST_FINDINGS } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { ReportFormat } from './report.ts';
import { readReport } from './read-report.ts';

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const told = (format: ReportFormat, name: string) => {
  const read = readReport(format, fixture(name));
  if (!('reported' in read)) throw new Error(JSON.stringify(read));
  return read.reported;
};
const sarifOf = (result: object, rules: object[] = []): string =>
  JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name: 't', rules } }, results: [result] }] });
const one = (text: string) => {
  const read = readReport('sarif', text);
  return 'reported' in read ? read.reported[0] : read;
};

describe('reports of real tools', () => {
  test('eslint', () => {
    expect(told('eslint', 'eslint.json').map(({ severity, rule, path, line }) => [severity, rule, path, line])).toEqual(
      [
        ['high', 'no-var', '/work/shop/src/a.js', 1],
        ['medium', 'no-unused-vars', '/work/shop/src/a.js', 1],
        ['high', 'no-eval', '/work/shop/src/a.js', 3],
        ['high', 'eslint', '/work/shop/src/bad.js', 1],
      ],
    );
  });

  test('semgrep, whose fingerprint is words where nobody is logged in; as JSON and as SARIF', () => {
    const expected = { severity: 'high', rule: 'no-eval', path: 'src/a.js', line: 3 };
    const message = 'Do not evaluate words as code.';
    expect(told('semgrep', 'semgrep.json')).toEqual([{ ...expected, message }]);
    expect(told('sarif', 'semgrep.sarif')).toEqual([{ ...expected, message }]);
  });

  test('npm audit: advisories, each once, not the packages that only depend on one', () => {
    expect(told('npm-audit', 'npm-audit.json').map(({ severity, rule }) => [severity, rule])).toEqual([
      ['medium', 'GHSA-29mw-wpgm-hmr9'],
      ['high', 'GHSA-35jh-r3h4-6jhm'],
      ['critical', 'GHSA-xvch-5gv4-984h'],
    ]);
  });

  test('npm audit and pip-audit where their registry refuses', () => {
    expect(readReport('npm-audit', fixture('npm-audit-refused.json'))).toEqual({
      unavailable:
        'npm audit could not ask its registry: 405 Method Not Allowed - POST https://registry.example.org/-/npm/v1/security/advisories/bulk',
    });
    const code = JSON.stringify({ error: { code: 'ENOAUDIT', summary: 'refused', detail: '' } });
    expect(readReport('npm-audit', code)).toEqual({
      unavailable: 'npm audit could not ask its registry: ENOAUDIT: refused',
    });
    expect(readReport('pip-audit', fixture('pip-audit-refused.json'))).toEqual({
      unavailable:
        'pip-audit looked up none of 1: Dependency not found on PyPI and could not be audited: jinja2 (2.4.1)',
    });
  });

  test('pip-audit', () => {
    expect(told('pip-audit', 'pip-audit.json')).toMatchObject([
      { severity: 'high', rule: 'PYSEC-2019-179', message: expect.stringMatching(/^flask 0\.5: fixed in 1\.0\. The/) },
    ]);
  });

  test('junit of node: what failed', () => {
    expect(told('junit', 'node-junit.xml')).toMatchObject([
      { severity: 'high', rule: 'test is <right> & &quot;good&quot;', message: '1 == 2' },
    ]);
  });
});

describe('SARIF', () => {
  test('a score says more than a level, a level more than the default of its rule', () => {
    const severityOf = (result: object, rule: object = {}) =>
      one(sarifOf({ ruleId: 'r', message: { text: 'm' }, ...result }, [{ id: 'r', ...rule }]));
    expect(severityOf({ level: 'note' })).toMatchObject({ severity: 'low' });
    expect(severityOf({})).toMatchObject({ severity: 'medium' });
    expect(severityOf({}, { defaultConfiguration: { level: 'error' } })).toMatchObject({ severity: 'high' });
    expect(severityOf({ level: 'note' }, { properties: { 'security-severity': '9.1' } })).toMatchObject({
      severity: 'critical',
    });
  });

  test('what passed, what somebody accepted and what is gone is no finding', () => {
    const message = { text: 'm' };
    expect(one(sarifOf({ message, kind: 'pass' }))).toBeUndefined();
    expect(one(sarifOf({ message, suppressions: [{ status: 'accepted' }] }))).toBeUndefined();
    expect(one(sarifOf({ message, baselineState: 'absent' }))).toBeUndefined();
    expect(one(sarifOf({ message, suppressions: [{ status: 'rejected' }] }))).toBeDefined();
  });

  test('its fingerprints are the identity', () => {
    const text = sarifOf({ message: {}, partialFingerprints: { b: '2', a: '1' } });
    expect(one(text)).toMatchObject({ identity: 'a=1\nb=2' });
  });
});

describe('junit', () => {
  const read = (text: string) => readReport('junit', text);
  test('is refused with a document type, so that no entity grows', () => {
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite>&a;</testsuite>';
    expect(read(bomb)).toEqual({ problem: 'the report is no junit: it has a document type' });
  });

  test('is refused where it is cut, or is something else', () => {
    expect(read('<testsuite><testcase name="a">')).toEqual({
      problem: 'the report is no junit: <testcase> has no end',
    });
    expect(read('<html></html>')).toEqual({
      problem: 'the report is no junit: its root is <html>, not <testsuites>',
    });
    expect(read('<testsuite></testcase>')).toMatchObject({
      problem: expect.stringContaining('ends what did not begin'),
    });
  });

  test('words of a failure may be in CDATA', () => {
    const text = '<testsuite><testcase classname="c" name="t"><error><![CDATA[a < b]]></error></testcase></testsuite>';
    expect(read(text)).toMatchObject({ reported: [{ rule: 'c t', message: 'a < b' }] });
  });
});

test('more findings than are read are refused', () => {
  const message = { ruleId: 'r', severity: 2, message: 'm', line: 1 };
  const text = JSON.stringify([{ filePath: 'a', messages: Array.from({ length: MOST_FINDINGS + 1 }, () => message) }]);
  expect(readReport('eslint', text)).toEqual({
    problem: 'the report has 10001 findings: at most 10000 are read',
  });
});

test('whatever is written, it is read or refused in words; nothing is thrown', () => {
  const words = fc.oneof(
    fc.string(),
    fc.json(),
    fc.string().map((part) => `<testsuite>${part}</testsuite>`),
    fc.nat({ max: 600 }).map((at) => fixture('node-junit.xml').slice(0, at)),
    fc.nat({ max: 900 }).map((at) => fixture('semgrep.sarif').slice(0, at)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...REPORT_FORMATS), words, (format, text) => {
      const read = readReport(format, text);
      expect(Object.keys(read)).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});
