import { expect, it } from 'vitest';
import { parseConfiguration } from './load.ts';

const parse = (value: object): unknown => parseConfiguration(JSON.stringify(value), 'workledger.json');
const files = { certificate: 'server.pem', key: 'server.key' };

it.each([{ host: '0.0.0.0' }, { host: '::' }, { host: '192.168.0.7', tls: null }, { host: 'ledger.example.org' }])(
  'refuses %j: other machines could listen',
  (value) => expect(() => parse(value)).toThrow(/^workledger\.json: host: ".*" is open to other machines, without TLS/),
);

it.each([
  {},
  { host: '::1' },
  { host: '0.0.0.0', tls: files },
  { host: '0.0.0.0', tls: { domain: 'ledger.example.org', email: 'ops@example.org' } },
  { host: '0.0.0.0', insecureHttp: true },
])('takes %j', (value) => expect(parse(value)).toMatchObject(value));

it.each([{ tls: { certificate: 'server.pem' } }, { tls: { ...files, domain: 'a.b' } }, { tls: true }])(
  'refuses %j',
  (value) => expect(() => parse(value)).toThrow(/workledger\.json: tls/),
);
