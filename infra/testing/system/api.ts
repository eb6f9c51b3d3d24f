import { setTimeout as pause } from 'node:timers/promises';

export type Answer<Body> = { readonly status: number; readonly headers: Headers; readonly body: Body };

export type Api = {
  readonly url: string;
  readonly key: string;
  /** @throws Error when the answer is not 200 */
  get<Body>(path: string): Promise<Body>;
  /** Sends a command; queries of this client see its effect from now on. @throws Error when it is refused */
  command<Body = { readonly id: string }>(path: string, body: unknown): Promise<Body>;
  /** Whatever the answer is. */
  send<Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>>;
  /** The same system under another key. */
  as(key: string): Api;
};

export type Failure = {
  readonly step: string;
  readonly reason: string;
  readonly command: readonly string[] | null;
  readonly exitCode: number | null;
  readonly lastLines: readonly string[];
  readonly log: { readonly digest: string; readonly size: number } | null;
};

export type Task = {
  readonly id: string;
  readonly state: 'pending' | 'in-progress' | 'validation' | 'complete' | 'failed' | 'cancelled';
  readonly claimId: string | null;
  readonly failure: Failure | null;
  readonly result: {
    readonly commit: string | null;
    readonly branch: string | null;
    readonly merged: boolean;
    readonly diffStat: { readonly files: number } | null;
  } | null;
  readonly pipelines: readonly { readonly id: string }[];
  readonly validations: readonly { readonly id: string; readonly state: string }[];
  readonly history: readonly { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[];
};

export type Agent = { readonly id: string; readonly name: string; readonly status: string };

/** Talks to a running system as curl would. @param url such as http://127.0.0.1:8080 */
export function createApi(url: string, key: string): Api {
  let token: Record<string, string> = {};
  const send = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  };
  const get = async <Body>(path: string): Promise<Body> => {
    const { status, body } = await send<Body>('GET', path, undefined, token);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const command = async <Body>(path: string, data: unknown): Promise<Body> => {
    const { status, headers, body } = await send<Body>('POST', path, data);
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
    token = { 'Consistency-Token': headers.get('Consistency-Token') ?? '' };
    return body;
  };
  return { url, key, get, command, send, as: (other) => createApi(url, other) };
}

export type NewTask = {
  readonly title: string;
  readonly description?: string;
  readonly capabilities?: readonly string[];
};

/** Creates a task for a repository. @returns its id */
export const createTask = async (api: Api, repository: string, task: NewTask): Promise<string> =>
  (await api.command('/tasks', { capabilities: ['code'], ...task, repository })).id;

/** Waits until a task is as wanted; one that another client has just made may not be visible yet. @throws Error when it ended otherwise */
export async function taskWhen(api: Api, id: string, wanted: (task: Task) => boolean): Promise<Task> {
  for (;;) {
    const task = await api.get<Task>(`/tasks/${id}`).catch((error: Error) => {
      if (!error.message.includes(': 404 ')) throw error;
      return null;
    });
    if (task !== null && wanted(task)) return task;
    if (task !== null && isFinal(task)) throw new Error(`the task ended otherwise: ${JSON.stringify(task)}`);
    await pause(100);
  }
}

const isFinal = ({ state }: Task): boolean => ['complete', 'failed', 'cancelled'].includes(state);

/** Waits until a task is complete, failed or cancelled. */
export const finalTask = (api: Api, id: string): Promise<Task> => taskWhen(api, id, isFinal);

/** Waits until no agent is busy, or not this one: the release comes just after the end of the task. */
export async function agentsFreed(api: Api, only?: string): Promise<void> {
  for (let look = 0; look < 100; look++) {
    const { items } = await api.get<{ items: Agent[] }>('/agents');
    const asked = items.filter(({ id }) => only === undefined || id === only);
    if (asked.every(({ status }) => status !== 'busy')) return;
    await pause(100);
  }
  throw new Error('an agent is still busy');
}
