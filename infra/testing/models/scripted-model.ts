import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a model is asked, as OpenAI's API has it. */
export type AskedModel = {
  readonly body: { readonly model: string; readonly messages: readonly { role: string; content: string }[] };
  readonly authorization: string | undefined;
  /** Under which it would know the same request again. */
  readonly key: string | undefined;
};

export type Scripted =
  | { readonly text: string; readonly usage?: { readonly prompt: number; readonly completion: number } | null }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/** A model's endpoint that answers what a test says, and remembers what it was asked: each is a call that would be paid. */
export async function startScriptedModel(script: (asked: AskedModel, number: number) => Scripted | Promise<Scripted>) {
  const asked: AskedModel[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const send = (status: number, value: unknown, headers = {}): void => {
        response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value));
      };
      if (request.method === 'GET') return send(200, { object: 'list', data: [{ id: 'scripted', object: 'model' }] });
      const one: AskedModel = {
        body: JSON.parse(Buffer.concat(parts).toString('utf8')) as AskedModel['body'],
        authorization: request.headers.authorization,
        key: request.headers['idempotency-key'] as string | undefined,
      };
      asked.push(one);
      void Promise.resolve(script(one, asked.length)).then((answer) => {
        if ('status' in answer) return send(answer.status, { error: { message: 'as the test says' } }, answer.headers);
        const { prompt, completion } = answer.usage ?? { prompt: 1_000, completion: 100 };
        send(200, {
          ...{ id: `chatcmpl-${asked.length}`, object: 'chat.completion', created: 1, model: one.body.model },
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answer.text } }],
          ...(answer.usage !== null && {
            usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
          }),
        });
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    /** As `models[].url` has it. */
    url: `http://127.0.0.1:${port}/v1`,
    host: `127.0.0.1:${port}`,
    asked: asked as readonly AskedModel[],
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
