import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createHttpOriginLookup, type WhyNotInOrigin } from '@workledger/shared/commands/origin-lookup.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { createApplication } from '@workledger/shared/http/application.ts';
import { startServer } from '@workledger/shared/http/server.ts';
import { authenticateBySecret } from '@workledger/shared/security/shared-secret.ts';
import { expect, onTestFinished, test } from 'vitest';
import { because, ComponentFailure } from '../engine/component.ts';
import { createOriginLookup, originLookupRoute } from './origin-lookup.ts';

const KEY = 'wl_the-key-of-sagas';
const asked = { repository: 'sample', taskId: newId(), commit: 'a'.repeat(40) };
const { logger, lines } = captureLog();

/** Sagas whose component `code.lookup` is this. */
async function sagas(perform: (request: object, key: string) => Promise<unknown>): Promise<string> {
  const component = {
    name: 'code.lookup',
    perform: (request: object, { key }: { key: string }) => perform(request, key),
  };
  const application = createApplication({
    routes: [originLookupRoute(createOriginLookup([component], logger))],
    authenticate: authenticateBySecret(KEY, 'command-service', 'service'),
    logger,
    ...{ title: 'sagas', version: '1' },
  });
  const server = await startServer(application, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.stop(0));
  return server.url;
}

/** Nobody listens there. */
async function away(): Promise<string> {
  const server = await startServer(() => undefined, { host: '127.0.0.1', port: 0 });
  await server.stop(0);
  return server.url;
}

const lookup = (urls: readonly string[], key = KEY): WhyNotInOrigin => createHttpOriginLookup({ urls, key, logger });

test('command-service is told why a commit cannot be taken from its origin, by the first of sagas that answers', async () => {
  const seen: [object, string][] = [];
  const url = await sagas(async (request, key) => {
    seen.push([request, key]);
    return { absent: seen.length === 1 ? 'push it first' : null };
  });
  const ask = lookup([await away(), url]);
  expect([await ask(asked), await ask(asked)]).toEqual(['push it first', null]);
  expect(seen[0]![0]).toEqual({ ...asked, runId: asked.taskId });
  // Two at once: the call of the one must not end that of the other.
  expect(seen[0]![1]).not.toBe(seen[1]![1]);
});

test('nothing is held against a commit where nobody can be asked, the key is another, or the origin does not tell', async () => {
  const silent = await sagas(() =>
    Promise.reject(new ComponentFailure(because('lookup', 'the origin is away'), { retryable: true })),
  );
  const answers = [
    await lookup([await away()])(asked),
    await lookup([silent], 'wl_another')(asked),
    await lookup([silent])(asked),
  ];
  expect(answers).toEqual([null, null, null]);
  expect(lines().map(({ status }) => status)).toContain(401);
});

test('sagas take no other key, and nothing that is no commit', async () => {
  const url = await sagas(() => Promise.resolve({ absent: null }));
  const post = (key: string, body: object): Promise<Response> =>
    fetch(`${url}/api/v1/service/origin-lookups`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await post('wl_another', asked)).status).toBe(401);
  expect((await post(KEY, { ...asked, commit: '--upload-pack=x' })).status).toBe(400);
  expect((await post(KEY, asked)).status).toBe(200);
});
