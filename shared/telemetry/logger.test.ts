import { describe, expect, test } from 'vitest';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { newApiKey } from '../security/api-key.ts';
import { createKeyMacs, newMacKey } from '../security/key-macs.ts';
import { withContext } from './request-context.ts';

const lastLine = (write: (logger: ReturnType<typeof captureLog>['logger']) => void): Record<string, unknown> => {
  const { logger, lines } = captureLog();
  write(logger);
  return lines().at(-1) ?? {};
};

describe('context', () => {
  test('every line below a context carries it', () => {
    const { logger, lines } = captureLog();
    withContext({ correlationId: 'c', traceparent: 't', actor: 'key:1' }, () => logger.info('inside'));
    logger.info('outside');
    expect(lines()[0]).toMatchObject({
      msg: 'inside',
      service: 'test',
      correlationId: 'c',
      traceparent: 't',
      actor: 'key:1',
    });
    expect(lines()[1]).not.toHaveProperty('correlationId');
  });
});

describe('secrets', () => {
  test.each([
    'authorization',
    'cookie',
    'Set-Cookie',
    'x-hub-signature-256',
    'clientSecret',
    'secretHash',
    'accessToken',
    'password',
    'key',
    'apiKey',
    'privateKey',
  ])('a field named %s is hidden, however deep', (name) => {
    const line = lastLine((logger) =>
      logger.info({ [name]: 'open sesame', deep: [{ [name]: { value: 'open sesame' } }] }, 'x'),
    );
    expect(JSON.stringify(line)).not.toContain('sesame');
    expect(line[name]).toBe('[hidden]');
  });

  test('ids beside them stay readable', () => {
    const line = lastLine((logger) => logger.info({ keyId: '7', commandId: '8', metadata: { step: 'x' } }, 'x'));
    expect(line).toMatchObject({ keyId: '7', commandId: '8', metadata: { step: 'x' } });
  });

  const { key } = newApiKey('0198c0de-0000-7000-8000-000000000000');
  const macKey = newMacKey();
  const withMac = newApiKey('0198c0de-0000-7000-8000-000000000000', createKeyMacs([macKey])).key;
  test.each([
    ['an API key', key, key.slice(40)],
    ['an API key with its MAC', withMac, withMac.slice(40, 60)],
    ['the MAC of an API key', withMac, withMac.slice(-20)],
    ['a MAC key', macKey, macKey.slice(12)],
    ['a bearer token', 'Bearer abcdef0123456789.x.y', 'abcdef0123456789'],
    ['a password in a URL', 'postgres://app:hunter2@db:5432/x', 'hunter2'],
    ['a token in a URL', 'https://x-access-9f8e7d6c5b4a3210@github.com/a/b', '9f8e7d6c5b4a3210'],
    ['a GitHub token', 'ghp_0123456789abcdefghijABCDEFGHIJ012345', 'abcdefghij'],
    ['a signature', `sha256=${'ab'.repeat(32)}`, 'abab'],
  ])('%s is hidden wherever it stands: in a message, a field, an error and its cause', (_, secret, tell) => {
    const { logger, text } = captureLog();
    logger.info(`got ${secret}`);
    logger.info({ detail: `got ${secret}` }, 'x');
    logger.error({ error: new Error(`got ${secret}`, { cause: new Error(secret) }) }, 'x');
    logger.error(new Error(`got ${secret}`));
    expect(text()).toContain('[hidden]');
    expect(text()).not.toContain(tell);
  });
});

describe('errors', () => {
  test('keep name, message, code, stack and cause, and nothing of what a driver put on them', () => {
    const error = Object.assign(new TypeError('no', { cause: new Error('because') }), {
      code: '23505',
      detail: 'Key (email)=(a@b.c) already exists.',
    });
    const line = lastLine((logger) => logger.error({ error }, 'failed'));
    expect(line['error']).toEqual({
      type: 'TypeError',
      message: 'no',
      code: '23505',
      stack: expect.stringContaining('TypeError: no'),
      cause: expect.objectContaining({ message: 'because' }),
    });
  });

  test('a value that contains itself does not stop the line', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(lastLine((logger) => logger.info({ loop, big: 7n }, 'round'))).toMatchObject({ msg: 'round', big: '7' });
  });
});
