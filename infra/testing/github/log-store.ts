import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeRepository } from './state.ts';

/** Where GitHub keeps logs of jobs: another host, which lets in whoever has the signed address, and knows ranges as Azure's blobs do. */
export async function startLogStore(repositories: ReadonlyMap<string, FakeRepository>) {
  const calls: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly bytes: number }[] = [];
  const settings = { knowsRanges: true, status: 200 };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://logs');
    const [, name = '', id] = /^\/(.+)\/(\d+)\.txt$/.exec(pathname) ?? [];
    const job = repositories.get(name.toLowerCase())?.jobs.get(Number(id));
    const answer = (status: number, body: Buffer, headers: Record<string, string> = {}): void => {
      calls.push({ path: pathname, headers: request.headers, bytes: body.length });
      response.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end(body);
    };
    if (settings.status !== 200) return answer(settings.status, Buffer.from('<Error/>'));
    // What is signed and has a login beside is refused, too.
    if (request.headers.authorization !== undefined) return answer(401, Buffer.from('<Error/>'));
    if (job === undefined || searchParams.get('sig') !== 'signed-address') return answer(403, Buffer.from('<Error/>'));
    const log = Buffer.from(job.log);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    if (!settings.knowsRanges || from === undefined) return answer(200, log);
    if (Number(from) >= log.length) return answer(416, Buffer.alloc(0));
    const part = log.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${log.length}`;
    return answer(206, part, { 'Content-Range': range });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ host, url: `http://${host}`, calls, settings },
    close: (): Promise<void> => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
