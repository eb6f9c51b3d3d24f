import type { EventJson } from '@workledger/query-service/audit/event-json.ts';

export type Call = {
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  /** Consistency-Token: the query must see what it names. */
  readonly token?: string;
  /** Revision for If-Match. */
  readonly ifMatch?: number;
  /** API key; default: the administrator's. Null: none. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  /** The Consistency-Token; '' where there is none. */
  readonly token: string;
  /** Id and revision of a command's receipt; '' and NaN where there are none. */
  readonly id: string;
  readonly revision: number;
};

/** No answer came: the request may have taken effect or not. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
}

export type Client = {
  /** One request; answers whatever status comes. Path below `/api/v1`. @throws NoAnswer */
  send(method: string, path: string, call?: Call): Promise<Answer>;
  /** The same, for what must succeed. @throws Error with status and body unless it is 2xx */
  expect2xx(method: string, path: string, call?: Call): Promise<Answer>;
  /** A stream as the API tells it, from its first event; empty when there is none. */
  stream(name: string): Promise<readonly EventJson[]>;
  /** The log in its order: the whole, or what came after a position. */
  log(after?: bigint): Promise<readonly EventJson[]>;
};

const PATIENCE_MILLISECONDS = 30_000;

/** Talks HTTP, as anybody would. */
export function createClient(place: { url(path: string): string; key(): Promise<string> }): Client {
  async function ask(method: string, path: string, call: Call): Promise<Response> {
    const key = call.key === undefined ? await place.key() : call.key;
    const headers: Record<string, string> = {
      ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(call.idempotencyKey === undefined ? {} : { 'Idempotency-Key': call.idempotencyKey }),
      ...(call.token === undefined ? {} : { 'Consistency-Token': call.token }),
      ...(call.ifMatch === undefined ? {} : { 'If-Match': `"${call.ifMatch}"` }),
      ...call.headers,
    };
    return fetch(`${place.url(path)}/api/v1${path}`, {
      method,
      headers,
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
      ...(call.body === undefined
        ? {}
        : { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) }),
    });
  }

  async function answered<Result>(
    method: string,
    path: string,
    call: Call,
    read: (response: Response) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await read(await ask(method, path, call));
    } catch (error) {
      throw new NoAnswer(`${method} ${path}: no answer`, { cause: error });
    }
  }

  const send: Client['send'] = (method, path, call = {}) => answered(method, path, call, toAnswer);

  async function events(path: string): Promise<EventJson[]> {
    const { status, text } = await answered('GET', path, {}, async (response) => ({
      status: response.status,
      text: await response.text(),
    }));
    if (status === 404) return [];
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as EventJson);
  }

  return {
    send,
    expect2xx: async (method, path, call) => {
      const answer = await send(method, path, call);
      if (answer.status >= 200 && answer.status < 300) return answer;
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    },
    stream: (name) => events(`/streams/${name}?format=ndjson`),
    log: (after) => events(`/events?format=ndjson${after === undefined ? '' : `&after=${after}`}`),
  };
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  const { status, headers } = response;
  const id = typeof body['id'] === 'string' ? body['id'] : '';
  const revision = typeof body['revision'] === 'number' ? body['revision'] : NaN;
  return { status, headers, body, token: headers.get('Consistency-Token') ?? '', id, revision };
}
