import type { CommandInput, CommandType } from '../commands/catalogue.ts';
import type { EventJson } from '../events/event-json.ts';
import { timeoutSignal } from '../resilience/timeout-signal.ts';

/** Where Workledger listens, and with which API key. Asked for each request: both may change. */
export type Place = {
  /** Address of who answers this path (below `/api/v1`): `http://host:port`, without a slash at its end. */
  url(path: string): string;
  key(): string | Promise<string>;
};

export type Call = {
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  /** Consistency-Token: the query must see what it names. */
  readonly token?: string;
  /** Revision for If-Match. */
  readonly ifMatch?: number;
  /** API key; default: the place's. Null: none. */
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

/** An answer that is none of 2xx. */
export class NotAccepted extends Error {
  override name = 'NotAccepted';
  readonly answer: Answer;
  constructor(what: string, answer: Answer) {
    super(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    this.answer = answer;
  }
}

export type Client = {
  /** Where a path below `/api/v1` is now, for who opens it by other means. */
  urlOf(path: string): string;
  /** One request; answers whatever status comes. Path below `/api/v1`. @throws NoAnswer */
  send(method: string, path: string, call?: Call): Promise<Answer>;
  /** The same, for what must succeed. @throws NotAccepted, NoAnswer */
  expect2xx(method: string, path: string, call?: Call): Promise<Answer>;
  /**
   * Sends one command by its name, which gives the type of its data.
   * @param target id of the aggregate; null for a command that creates one
   * @returns its receipt, as a batch tells it @throws NotAccepted with the command's own status, NoAnswer
   */
  command<Type extends CommandType>(
    type: Type,
    target: string | null,
    data: CommandInput<Type>,
    call?: Pick<Call, 'idempotencyKey' | 'key'>,
  ): Promise<Answer>;
  /** One thing; null when it is not there. @throws NotAccepted, NoAnswer */
  find<Item>(path: string, call?: Call): Promise<Item | null>;
  /** All items of a list, page by page. @param path with its filters @throws NotAccepted, NoAnswer */
  list<Item>(path: string, call?: Call): AsyncIterable<Item>;
  /** A stream as the API tells it, from its first event; empty when there is none. */
  stream(name: string): Promise<readonly EventJson[]>;
  /** The log in its order: the whole, or what came after a position. */
  log(after?: bigint): Promise<readonly EventJson[]>;
};

const PATIENCE_MILLISECONDS = 30_000;

/** Talks to Workledger over HTTP, as anybody would. */
export function createClient(place: Place): Client {
  const urlOf = (path: string): string => `${place.url(path)}/api/v1${path}`;
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
    return fetch(urlOf(path), {
      method,
      headers,
      signal: timeoutSignal(PATIENCE_MILLISECONDS),
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

  const expect2xx: Client['expect2xx'] = async (method, path, call) => {
    const answer = await send(method, path, call);
    if (isSuccess(answer)) return answer;
    throw new NotAccepted(`${method} ${path}`, answer);
  };

  async function find<Item>(path: string, call?: Call): Promise<Item | null> {
    const answer = await send('GET', path, call);
    if (answer.status === 404) return null;
    if (isSuccess(answer)) return answer.body as Item;
    throw new NotAccepted(`GET ${path}`, answer);
  }

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
    urlOf,
    send,
    expect2xx,
    command: async (type, target, data, call = {}) => {
      const wish = { type, ...(target !== null && { target }), data };
      const answer = await expect2xx('POST', '/commands', { ...call, body: { commands: [wish] } });
      const [result] = answer.body['results'] as [Record<string, unknown>];
      const one = toParts(Number(result['status']), answer.headers, result);
      if (isSuccess(one)) return one;
      throw new NotAccepted(type, { ...one, body: result['problem'] as Record<string, unknown> });
    },
    find,
    async *list<Item>(path: string, call?: Call) {
      const more = path.includes('?') ? '&' : '?';
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Page<Item> | null = await find(cursor === '' ? path : `${path}${more}cursor=${cursor}`, call);
        yield* page?.items ?? [];
        cursor = page?.next ?? null;
      }
    },
    stream: (name) => events(`/streams/${name}?format=ndjson`),
    log: (after) => events(`/events?format=ndjson${after === undefined ? '' : `&after=${after}`}`),
  };
}

type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return toParts(response.status, response.headers, (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>);
}

function toParts(status: number, headers: Headers, body: Record<string, unknown>): Answer {
  const id = typeof body['id'] === 'string' ? body['id'] : '';
  const revision = typeof body['revision'] === 'number' ? body['revision'] : NaN;
  return { status, headers, body, token: headers.get('Consistency-Token') ?? '', id, revision };
}
