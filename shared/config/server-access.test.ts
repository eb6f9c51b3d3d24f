import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { isLoopback } from './loopback.ts';
import { kafkaAccess, withAccess } from './server-access.ts';

const ELSEWHERE = 'postgres://ada:sesame@db.example.org/work';

const folder = mkdtempSync(join(tmpdir(), 'workledger-access-'));
let files = 0;
function fileOf(text: string): string {
  const file = join(folder, String(files++));
  writeFileSync(file, text);
  return file;
}

// The driver warns of old modes.
const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue();
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => {
  emitWarning.mockRestore();
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ELSEWHERE,
  `${ELSEWHERE}?sslmode=disable`,
  `${ELSEWHERE}?sslmode=no-verify`,
  `${ELSEWHERE}?ssl=0`,
  `${ELSEWHERE}?uselibpqcompat=true&sslmode=require`,
  `${ELSEWHERE}?uselibpqcompat=true&sslmode=prefer`,
  'postgres://ada:sesame@127.0.0.1/work?host=db.example.org',
  'postgres://ada:sesame@127.0.0.1.example.org/work',
])('refuses %s: nothing proves who answers', (DATABASE_URL) => {
  const reading = (): unknown => withAccess({ DATABASE_URL });
  expect(reading).toThrow(/^environment: DATABASE_URL: \S+ is another machine.*sslmode=verify-full.*DATABASE_TLS=off/);
  expect(reading).not.toThrow(/sesame/);
  expect(withAccess({ DATABASE_URL, DATABASE_TLS: 'off' })).toMatchObject({ DATABASE_URL });
});

it('does not take a verification for one that Node was told to leave out', () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  expect(() => withAccess({ DATABASE_URL: `${ELSEWHERE}?sslmode=verify-full` })).toThrow('another machine');
});

it.each([
  `${ELSEWHERE}?sslmode=verify-full`,
  'postgres://ada:sesame@localhost/work',
  'postgres://ada:sesame@127.0.0.2:5433/work',
  'postgres://ada:sesame@db.example.org/work?host=/run/postgresql',
])('takes %s', (DATABASE_URL) => {
  expect(withAccess({ DATABASE_URL })).toEqual({ DATABASE_URL });
});

it('verify-ca of libpq does not look at the name', () => {
  const DATABASE_URL = `${ELSEWHERE}?uselibpqcompat=true&sslmode=verify-ca&sslrootcert=${fileOf('PEM')}`;
  expect(() => withAccess({ DATABASE_URL })).toThrow('another machine');
});

it('names an authority that is not there', () => {
  const DATABASE_URL = `${ELSEWHERE}?sslmode=verify-full&sslrootcert=/no/such/ca.crt`;
  expect(() => withAccess({ DATABASE_URL })).toThrow('DATABASE_URL: /no/such/ca.crt: ENOENT');
});

it('puts passwords that are kept in files into their addresses', () => {
  const file = fileOf('a/b c@\n');
  expect(
    withAccess({
      DATABASE_URL: 'postgres://ada@localhost/work',
      DATABASE_PASSWORD_FILE: file,
      EVENTSTOREDB_URL: 'esdb://ops@one:2113,two:2113?tls=true',
      EVENTSTOREDB_PASSWORD_FILE: file,
    }),
  ).toMatchObject({
    DATABASE_URL: 'postgres://ada:a%2Fb%20c%40@localhost/work',
    EVENTSTOREDB_URL: 'esdb://ops:a%2Fb%20c%40@one:2113,two:2113?tls=true',
  });
});

it.each([
  [{ EVENTSTOREDB_URL: 'esdb://one:2113', EVENTSTOREDB_PASSWORD_FILE: fileOf('x') }, /EVENTSTOREDB_URL has no user/],
  [{ EVENTSTOREDB_URL: 'esdb://a:b@one:2113', EVENTSTOREDB_PASSWORD_FILE: fileOf('x') }, /a password of its own/],
  [{ EVENTSTOREDB_URL: 'esdb://a@one:2113', EVENTSTOREDB_PASSWORD_FILE: '/no/such' }, /\/no\/such: ENOENT/],
  [{ EVENTSTOREDB_URL: 'esdb://a@one:2113', EVENTSTOREDB_PASSWORD_FILE: fileOf('\n') }, /is empty/],
])('refuses what does not go together: %j', (environment, words) => {
  expect(() => withAccess(environment)).toThrow(words);
});

const login = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: 'sesame' } as const; // prettier-ignore

it('a login at Kafka never goes without TLS', () => {
  expect(kafkaAccess({})).toEqual({ tls: null, sasl: null });
  expect(kafkaAccess(login)).toEqual({
    tls: {},
    sasl: { mechanism: 'scram-sha-512', username: 'ada', password: 'sesame' },
  });
  expect(kafkaAccess({ KAFKA_SSL_CA_FILE: fileOf('PEM') })).toEqual({ tls: { ca: 'PEM' }, sasl: null });
  expect(() => kafkaAccess({ ...login, KAFKA_TLS: 'off' })).toThrow(/KAFKA_TLS: off.*a login needs TLS/);
  expect(() => kafkaAccess({ ...login, KAFKA_SASL_USERNAME: undefined })).toThrow(/KAFKA_SASL_…: not whole/);
});

it.each([
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['/run/postgresql', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.example.org', false],
  ['192.168.0.7', false],
  ['localhost.example.org', false],
])('%s is this machine only: %s', (host, is) => expect(isLoopback(host)).toBe(is));
