import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Lock, sbomOf, seriousIn } from './judge.ts';

it('every production dependency is in the SBOM, in each of its versions, and no tool is', () => {
  const integrity = `sha512-${Buffer.from('00ff', 'hex').toString('base64')}`;
  const { components, ...about } = sbomOf({
    packages: {
      '': { version: '0.1.0' },
      shared: { version: '0.1.0' },
      'node_modules/@workledger/shared': { link: true },
      'node_modules/pg': { version: '8.1.0', license: 'MIT', integrity },
      'shared/node_modules/@scope/ajv': { version: '8.20.0' },
      'node_modules/a/node_modules/pg': { version: '7.0.0' },
      'node_modules/tsx': { version: '4.0.0', dev: true },
    },
  });
  expect(about).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    metadata: { component: { version: '0.1.0' } },
  });
  expect(components.map(({ purl }) => purl)).toEqual([
    'pkg:npm/pg@8.1.0',
    'pkg:npm/%40scope/ajv@8.20.0',
    'pkg:npm/pg@7.0.0',
  ]);
  expect(components[0]).toMatchObject({
    hashes: [{ alg: 'SHA-512', content: '00ff' }],
    licenses: [{ expression: 'MIT' }],
  });
});

it('what this repository itself depends on is in its SBOM', () => {
  const root = new URL('../../', import.meta.url);
  const read = (file: string) => JSON.parse(readFileSync(new URL(file, root), 'utf8')) as object;
  const named = new Set(sbomOf(read('package-lock.json') as Lock).components.map(({ name }) => name));
  for (const room of ['shared', 'command-service', 'projections', 'sagas', 'query-service']) {
    const { dependencies = {} } = read(`${room}/package.json`) as { dependencies?: Record<string, string> };
    for (const name of Object.keys(dependencies).filter((each) => !each.startsWith('@workledger/')))
      expect(named, `${name} of ${room}`).toContain(name);
  }
});

it('high and critical findings count; what is no answer is none', () => {
  const audit = (high: number, critical: number) =>
    JSON.stringify({ metadata: { vulnerabilities: { low: 9, moderate: 9, high, critical } } });
  expect([seriousIn(audit(0, 0)), seriousIn(audit(2, 1))]).toEqual([0, 3]);
  for (const told of [
    '',
    '{"statusCode":405,"message":"Method Not Allowed"}',
    '{"error":{"code":"ENOAUDIT"}}',
    '{"metadata":{}}',
  ])
    expect(seriousIn(told)).toBeNull();
});
