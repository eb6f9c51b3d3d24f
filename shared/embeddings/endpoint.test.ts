import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configurationSchema } from '../config/schema.ts';
import { openEmbeddings } from './endpoint.ts';
import { EmbeddingsFailed, quantised } from './port.ts';

let server: Server;
let url: string;
let asked: { path: string; authorization: string | undefined; body: { input: string[]; model: string } }[] = [];
let respond: (response: ServerResponse, input: string[]) => void;
const vectorOf = (text: string): number[] => [text.length, 1, 0, 0, 0, 0, 0, 2];
const good = (response: ServerResponse, input: string[]): void => {
  const data = input.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) })).reverse();
  response.end(JSON.stringify({ object: 'list', data }));
};

beforeEach(async () => {
  asked = [];
  respond = good;
  server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = (text === '' ? { input: [] } : JSON.parse(text)) as { input: string[]; model: string };
      asked.push({ path: request.url ?? '', authorization: request.headers.authorization, body });
      respond(response, body.input);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const open = async (more: object = {}, restMs = 30_000) => {
  const { embeddings } = configurationSchema.parse({ embeddings: { url, model: 'small', dimensions: 8, ...more } });
  return (await openEmbeddings(embeddings, process.cwd(), { restMs, backOffMs: { first: 5, most: 20 } }))!;
};
const { signal } = new AbortController();
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end('{"error":"no"}');

describe('an endpoint as OpenAI has it', () => {
  it('is none where none is configured', async () => expect(await openEmbeddings(null, '.')).toBeNull());

  it('answers in the order of the texts, whatever order it has itself, under its key', async () => {
    process.env['EMBEDDINGS_TEST_KEY'] = 'open sesame';
    const embeddings = await open({ key: { env: 'EMBEDDINGS_TEST_KEY' } });
    delete process.env['EMBEDDINGS_TEST_KEY'];
    expect(await embeddings.embed(['a', 'four'], { signal })).toEqual([
      quantised(vectorOf('a')),
      quantised(vectorOf('four')),
    ]);
    expect(asked).toEqual([
      {
        path: '/v1/embeddings',
        authorization: 'Bearer open sesame',
        body: { model: 'small', input: ['a', 'four'], encoding_format: 'float' },
      },
    ]);
  });

  it('tells a text that it refuses from its own failures', async () => {
    const embeddings = await open();
    const ofText = () => embeddings.embed(['x'], { signal }).catch((error: EmbeddingsFailed) => error.ofText);
    respond = status(400);
    expect(await ofText()).toBe(true);
    for (const code of [401, 429, 500]) {
      respond = status(code);
      expect(await ofText()).toBe(false);
    }
  });

  it.each([
    ['is no JSON', 'x'],
    ['has too few', '{"data":[]}'],
    ['has other dimensions', '{"data":[{"index":0,"embedding":[1,2]}]}'],
    ['has no direction', '{"data":[{"index":0,"embedding":[0,0,0,0,0,0,0,0]}]}'],
  ])('takes no answer that %s', async (_, text) => {
    respond = (response) => void response.end(text);
    await expect((await open()).embed(['x'], { signal })).rejects.toThrow(EmbeddingsFailed);
  });

  it('goes nowhere else, though it is sent there', async () => {
    respond = (response) => void response.writeHead(307, { Location: url }).end();
    await expect((await open()).embed(['x'], { signal })).rejects.toThrow(EmbeddingsFailed);
    expect(asked).toHaveLength(1);
  });

  it('has its time, and no more', async () => {
    respond = () => undefined;
    await expect((await open()).embed(['x'], { signal, timeoutMs: 50 })).rejects.toThrow(EmbeddingsFailed);
  });

  it('is asked again where it fails, and a question only once', async () => {
    const embeddings = await open();
    respond = (response, input) => {
      if (asked.length < 3) status(500)(response);
      else good(response, input);
    };
    expect(await embeddings.embed(['x'], { signal })).toHaveLength(1);
    expect(asked).toHaveLength(3);
    respond = status(500);
    await expect(embeddings.embed(['x'], { signal, timeoutMs: 1_000 })).rejects.toThrow(EmbeddingsFailed);
    expect(asked).toHaveLength(4);
  });

  it('is asked for many long texts at once', async () => {
    const texts = Array.from({ length: 256 }, () => 'x'.repeat(20_000));
    expect(await (await open()).embed(texts, { signal })).toHaveLength(256);
  });

  it('shows how it is; a question that it leaves unanswered counts', async () => {
    const embeddings = await open();
    expect(embeddings.state()).toMatchObject({ breaker: 'closed', lastFailure: null });
    respond = () => undefined;
    for (let time = 0; time < 5; time++)
      await embeddings.embed(['x'], { signal, timeoutMs: 20 }).catch(() => undefined);
    expect(embeddings.state()).toMatchObject({
      breaker: 'open',
      lastFailure: { reason: expect.stringMatching(/in time/) },
    });
  });

  it.each([200, 404, 405])('is there where it answers %d to what costs nothing', async (code) => {
    process.env['EMBEDDINGS_TEST_KEY'] = 'open sesame';
    const embeddings = await open({ key: { env: 'EMBEDDINGS_TEST_KEY' } });
    delete process.env['EMBEDDINGS_TEST_KEY'];
    respond = status(code);
    await embeddings.check(signal);
    expect(asked).toMatchObject([{ path: '/v1/models', authorization: 'Bearer open sesame' }]);
  });

  it('fails its check where it refuses the key or fails itself, and is let rest for neither', async () => {
    const embeddings = await open();
    for (const code of [401, 403, 500, 500, 500, 500, 500, 500]) {
      respond = status(code);
      await expect(embeddings.check(signal)).rejects.toThrow();
    }
    expect(embeddings.state()).toMatchObject({ breaker: 'closed', lastFailure: null });
    respond = good;
    expect(await embeddings.embed(['x'], { signal })).toHaveLength(1);
  });

  it('gives up with whoever asks', async () => {
    respond = () => undefined;
    const stopping = new AbortController();
    setTimeout(() => stopping.abort(new Error('enough')), 20);
    await expect((await open()).embed(['x'], { signal: stopping.signal })).rejects.toThrow('enough');
  });

  it('is left alone after five failures, and asked again after a rest', async () => {
    const embeddings = await open({}, 200);
    respond = status(500);
    for (let time = 0; time < 8; time++) await embeddings.embed(['x'], { signal }).catch(() => undefined);
    expect(asked).toHaveLength(5);
    respond = good;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await embeddings.embed(['x'], { signal })).toHaveLength(1);
  });
});
