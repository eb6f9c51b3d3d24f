import { expect, it } from 'vitest';
import { checkConnectionString, withOwnConnection } from './connection-string.ts';

it.each([
  'esdb://127.0.0.1:2113?tls=false',
  'esdb+discover://admin:changeit@cluster.example:2113?nodePreference=leader&keep_alive-interval=10000',
  ' esdb://a:1,b:2,c:3/?tls=true ',
])('takes %s', (connectionString) => {
  expect(() => checkConnectionString(connectionString)).not.toThrow();
});

it.each([
  ['http://admin:secret@127.0.0.1:2113', /use esdb:\/\//],
  ['esdb://admin:secret@127.0.0.1:2113?tsl=false', /unknown option "tsl": use .*\btls\b/],
  ['esdb://admin:secret@127.0.0.1:2113?tls=true&tlsVerifyCert=false', /unknown option "tlsVerifyCert"/],
])('refuses %s without repeating its password', (connectionString, message) => {
  const refusal = (): void => checkConnectionString(connectionString);
  expect(refusal).toThrow(message);
  expect(refusal).not.toThrow(/secret/);
});

it.each([
  ['esdb://127.0.0.1:2113', 'esdb://127.0.0.1:2113?keepAliveTimeout=10007'],
  ['esdb://127.0.0.1:2113?tls=false ', 'esdb://127.0.0.1:2113?tls=false&keepAliveTimeout=10007'],
  ['esdb://a:1?keep-Alive_timeout=20000&tls=true', 'esdb://a:1?keep-Alive_timeout=20007&tls=true'],
  ['esdb://a:1?keepAliveTimeout=-1', 'esdb://a:1?keepAliveTimeout=-1'],
])('makes the settings of %s its own', (connectionString, own) => {
  expect(withOwnConnection(connectionString, 7)).toBe(own);
});
