import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findCaddy, type Caddy, fetchCaddy, HOW_TO_GET_IT } from './caddy.ts';
import { startGateway, type Gateway } from './start-gateway.ts';
import { startUpstream, type Upstream } from './upstream.ts';

/** Caddy for tests; null where it cannot be had, which is a failure where WORKLEDGER_REQUIRE=1. */
export async function caddyForTests(): Promise<Caddy | null> {
  const caddy = (await findCaddy()) ?? (await fetchCaddy((line) => console.warn(line)));
  if (caddy !== null) return caddy;
  if (process.env['WORKLEDGER_REQUIRE'] === '1') throw new Error(HOW_TO_GET_IT);
  console.warn(`gateway tests skipped: ${HOW_TO_GET_IT}`);
  return null;
}

/** A folder that goes after the tests of this file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'workledger-gateway-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export type Stand = {
  readonly gateway: Gateway;
  readonly commands: readonly Upstream[];
  readonly queries: readonly Upstream[];
};

/** A gateway with two instances of each service behind it, all gone after the tests of this file. */
export async function startStand(): Promise<Stand> {
  const [c1, c2, q1, q2] = await Promise.all(['c1', 'c2', 'q1', 'q2'].map(startUpstream));
  const [commands, queries] = [
    [c1!, c2!],
    [q1!, q2!],
  ];
  const gateway = await startGateway({
    listen: { host: '127.0.0.1', port: 0 },
    commandServices: commands.map(({ address }) => address),
    queryServices: queries.map(({ address }) => address),
    folder: await temporaryFolder(),
    log: () => undefined,
  });
  if (gateway === null) throw new Error(HOW_TO_GET_IT);
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([...commands, ...queries].map((upstream) => upstream.die()));
  });
  return { gateway, commands, queries };
}

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
};

/** A request whose answer is JSON. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const { status, headers, ...response } = await fetch(url, init).then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  }));
  const body = response.text === '' ? {} : (JSON.parse(response.text) as Record<string, unknown>);
  return { status, headers, body };
}

/** Sends the path as it is; fetch would tidy it up. @returns the status */
export const askRaw = (url: string, method: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    request({ hostname, port, method, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
