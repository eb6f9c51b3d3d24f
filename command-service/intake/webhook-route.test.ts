import { createHmac } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { github } from './providers/github.ts';
import { createWebhookRoute } from './webhook-route.ts';

afterEach(() => void vi.useRealTimers());

/** A log on a server that has frozen: nothing is said, for ever. */
const frozen = {
  readStream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
} as unknown as EventLog;

test('a delivery is told in time that it may not be recorded, and to come again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const bytes = Buffer.from('{"zen":"Keep it logically awesome."}');
  const { handle } = createWebhookRoute({
    ...{ provider: github, secrets: ['secret'], logger: console as never },
    ...{ log: frozen, commands: {} as never, artefacts: {} as never, rules: { repositories: [], rules: [] } },
  });
  const headers = {
    'x-github-event': 'issues',
    'x-github-delivery': '1',
    'x-hub-signature-256': `sha256=${createHmac('sha256', 'secret').update(bytes).digest('hex')}`,
  };
  const given = { headers, bytes, mediaType: 'application/json', correlationId: 'one', traceparent: 'one' };
  const answered = Promise.resolve((handle as (input: object) => Promise<unknown>)(given));
  const expectation = expect(answered).rejects.toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
  await vi.advanceTimersByTimeAsync(9_000);
  await expectation;
});
