import { startServer, type RunningServer } from '@workledger/shared/http/server.ts';
import { createApplication, type ApplicationOptions } from '@workledger/shared/http/application.ts';

export type Told = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };
export type Asked = {
  readonly key?: string;
  readonly json?: unknown;
  readonly text?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
};
export type TestClient = {
  readonly url: string;
  /** Sends a real request; the answer's JSON body, {} when it is none. */
  ask(method: string, path: string, asked?: Asked): Promise<Told>;
  stop(): Promise<void>;
};

/** Both sides share one loop: where a test holds it up for seconds, a connection would be closed as the next request goes out on it. */
const KEPT_MILLISECONDS = 120_000;

/** Serves an application on a free port of this machine, and a client to it. */
export async function serve(options: Omit<ApplicationOptions, 'title' | 'version'>): Promise<TestClient> {
  const application = createApplication({ ...options, title: 'Test', version: '1' });
  return clientOf(
    await startServer(application, { host: '127.0.0.1', port: 0 }, { keepAliveTimeout: KEPT_MILLISECONDS }),
  );
}

const clientOf = (server: RunningServer): TestClient => ({
  url: server.url,
  stop: () => server.stop(0),
  ask: async (method, path, { key, json, text, headers = {} } = {}) => {
    const hasBody = json !== undefined || text !== undefined;
    const response = await fetch(`${server.url}${path}`, {
      method,
      ...(hasBody ? { body: json === undefined ? (text as string) : JSON.stringify(json) } : {}),
      headers: {
        ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
        ...(hasBody ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
    });
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const body = isJson ? ((await response.json()) as Record<string, unknown>) : (await response.arrayBuffer(), {});
    return { status: response.status, headers: response.headers, body };
  },
});

/** The last part of a problem's `type`. */
export const problemCode = ({ body }: Told): string =>
  String(body['type']).replace('https://workledger.dev/problems/', '');
