import { agentSchema, repositorySchema } from '@workledger/shared/config/schema.ts';
import { expect, test } from 'vitest';
import { ComponentFailure } from '../engine/component.ts';
import { failureOf } from './failures.ts';
import { isSecret, secretsOf } from './secrets.ts';

const repository = (url: string) => repositorySchema.parse({ name: 'sample', url, test: ['true'] });
const agent = agentSchema.parse({ name: 'agent', command: ['true'], secrets: ['LONG', 'SHORT', 'MISSING'] });
const of = (...urls: string[]) =>
  secretsOf(
    { configuration: { repositories: urls.map(repository), agents: [agent] } },
    { LONG: 'say "friend"', SHORT: '12345' },
  );

test('values of the variables named as secrets are hidden, as they are and inside JSON; short ones are words', () => {
  expect(of().text('say "friend", 12345')).toBe('[hidden], 12345');
  expect(of().text(JSON.stringify({ said: 'say "friend"' }))).toBe('{"said":"[hidden]"}');
});

test('credentials of addresses are hidden, a user name beside a password is not', () => {
  const secrets = of('https://person:p%40ssword@host/a', 'https://lonely-token@host/b', 'ssh://deployer@host/c');
  expect(secrets.text('person p@ssword p%40ssword lonely-token deployer')).toBe(
    'person [hidden] [hidden] [hidden] deployer',
  );
});

test('an output stays as it is byte for byte but for them', () => {
  const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('é say "friend"')]);
  const part = { ended: 'exit', exitCode: 0, signal: null, durationMs: 1, droppedBytes: 0, limit: null } as const;
  const { output } = of().result({ ...part, stdout: bytes, stderr: bytes, output: bytes });
  expect(output).toEqual(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('é [hidden]')]));
});

test('a failure tells them neither in its words nor in its message, and stays what it was', () => {
  const failure = failureOf('work', 'say "friend" failed', { output: 'say "friend"', command: ['x', 'say "friend"'] });
  const error = of().failure(new ComponentFailure(failure, { retryable: true, fault: 'work', costUsd: 2 }));
  expect(error).toMatchObject({ message: 'work: [hidden] failed', retryable: true, fault: 'work', costUsd: 2 });
  expect(error.failure).toMatchObject({ lastLines: ['[hidden]'], command: ['x', '[hidden]'] });
});

test('reasons and last lines lose what looks like a secret, wherever it came from', () => {
  const token = `ghp_${'a1'.repeat(18)}`;
  const { reason, lastLines } = failureOf('work', `refused ${token}`, { output: `token ${token}` });
  expect([reason, ...lastLines]).toEqual(['refused [hidden]', 'token [hidden]']);
});

test.each([
  ['METRIC', 'milliseconds', false],
  ['DATABASE', 'postgres://localhost/shop', false],
  ['BROWSERS', '/opt/browsers/chromium-1187/chrome-linux', false],
  ['NODE_OPTIONS', '--max-old-space-size=4096', false],
  ['TARGET', 'x86_64-unknown-linux-gnu', false],
  ['MONKEY', 'bananas', false],
  ['ANTHROPIC_API_KEY', 'anything', true],
  ['DB_PASS', 'correct horse', true],
  ['NPM_AUTH', 'anything', true],
  ['DATABASE', 'postgres://shop:pass-word@localhost/shop', true],
  ['SETTING', `ghp_${'a1'.repeat(18)}`, true],
  ['SETTING', '7c9f0b1e5a3d48c2b6e1f4a09d8372bc', true],
  ['SETTING', 'Zk8sPq31Lw+9vXtB/7uYh2==', true],
])('%s=%s is a secret: %s', (name, value, expected) => {
  expect(isSecret(name, value)).toBe(expected);
});

test('a variable that is no secret is not hidden, a password in an address is, also by itself', () => {
  const named = agentSchema.parse({ name: 'agent', command: ['true'], environment: ['METRIC', 'DATABASE'] });
  const secrets = secretsOf(
    { configuration: { repositories: [], agents: [named] } },
    { METRIC: 'milliseconds', DATABASE: 'postgres://shop:pass-word@localhost/shop' },
  );
  expect(secrets.text('{"milliseconds":3} pass-word')).toBe('{"milliseconds":3} [hidden]');
});
