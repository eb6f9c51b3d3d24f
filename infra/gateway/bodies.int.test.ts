import { describe, expect, it } from 'vitest';
import { ask, caddyForTests, startStand } from './testing.ts';

const LARGEST = 25 * 1024 * 1024;
const LARGEST_OF_OTHERS = 5 * 1024 * 1024;
const caddy = await caddyForTests();

describe.skipIf(caddy === null)('the gateway', async () => {
  if (caddy === null) return;
  const { gateway, commands, queries } = await startStand();
  const post = (body: RequestInit['body'], path = 'webhooks/github') =>
    ask(`${gateway.url}/api/v1/${path}`, { method: 'POST', body, duplex: 'half' } as RequestInit);

  it('passes the largest body on that a service takes', async () => {
    expect((await post(new Uint8Array(LARGEST))).body['bytes']).toBe(LARGEST);
  });

  it('refuses a larger one, said before or not, and no instance suffers', async () => {
    commands.forEach(({ received }) => (received.length = 0));
    const chunked = new Blob([new Uint8Array(LARGEST + 1)]).stream();
    for (const body of [new Uint8Array(LARGEST + 1), chunked]) {
      const refused = await post(body);
      expect(refused.status).toBe(413);
      expect(refused.headers.get('content-type')).toBe('application/problem+json');
      expect(refused.body['type']).toBe('https://workledger.dev/problems/too-large');
    }
    expect(commands.flatMap(({ received }) => received)).toEqual([]);
    for (const path of ['webhooks/linear', 'tasks']) {
      expect((await post(new Uint8Array(LARGEST_OF_OTHERS), path)).status).toBe(200);
      expect((await post(new Uint8Array(LARGEST_OF_OTHERS + 1), path)).status).toBe(413);
    }
    for (let turn = 0; turn < 4; turn++) expect((await post('small')).status).toBe(200);
  });

  it.each(['text/event-stream', 'application/x-ndjson'])('passes %s on piece by piece', async (mediaType) => {
    let goOn = (): void => undefined;
    const asked = new Promise<void>((resolve) => (goOn = resolve));
    queries.forEach((query) => {
      query.answer = (_received, response) => {
        response.writeHead(200, { 'Content-Type': mediaType }).write('first\n\n');
        void asked.then(() => response.end('last\n\n'));
      };
    });
    const answer = await fetch(`${gateway.url}/api/v1/events`);
    const pieces = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await pieces.read()).value).toBe('first\n\n');
    goOn();
    expect((await pieces.read()).value).toBe('last\n\n');
    expect((await pieces.read()).done).toBe(true);
    queries.forEach((query) => (query.answer = null));
  });

  it('tells a service at once that the reader of a stream has gone', async () => {
    const gone = new Promise<void>((resolve) => {
      queries.forEach((query) => {
        query.answer = (_received, response) => {
          response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('first\n\n');
          response.once('close', resolve);
        };
      });
    });
    const leaving = new AbortController();
    const answer = await fetch(`${gateway.url}/api/v1/events`, { signal: leaving.signal });
    expect(answer.status).toBe(200);
    leaving.abort();
    await gone;
    queries.forEach((query) => (query.answer = null));
  });
});
