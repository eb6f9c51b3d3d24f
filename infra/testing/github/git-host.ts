import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import { createGunzip } from 'node:zlib';

/** Whether whoever asks may read and push there, as a status. */
export type MayUseGit = (authorization: string | undefined, owner: string, name: string) => 200 | 401 | 403 | 404;

export type GitRequest = { readonly path: string; readonly token: string | null; readonly status: number };

const PATH = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/;

/** Real repositories over HTTP, by git's own server, behind the logins of a fake GitHub. */
export function createGitHost(mayUse: MayUseGit) {
  const folders = new Map<string, string>();
  const requests: GitRequest[] = [];
  const watching: { look: () => void } = { look: () => undefined };

  function serve(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '', 'http://github');
    const [, owner = '', name = '', below = ''] = PATH.exec(url.pathname) ?? [];
    const folder = folders.get(`${owner}/${name}`.toLowerCase());
    if (folder === undefined) return false;
    const { authorization } = request.headers;
    const status = mayUse(authorization, owner, name);
    requests.push({ path: request.url ?? '', token: asBearer(authorization)?.slice('Bearer '.length) ?? null, status });
    watching.look();
    if (status === 200) answerByGit(request, response, { folder, below, query: url.search.slice(1) });
    else {
      request.resume();
      response.writeHead(status, { 'WWW-Authenticate': 'Basic realm="GitHub"' }).end();
    }
    return true;
  }

  return {
    serve,
    requests,
    /** What is done as each request comes. */
    watching,
    /** Has a bare repository at `<host>/<owner>/<name>`, with and without .git. */
    host: (name: string, folder: string): void => void folders.set(name.toLowerCase(), folder),
  };
}

/** As the API has it: what is asked for by git goes by `x-access-token` and the token. */
export function asBearer(authorization: string | undefined): string | undefined {
  const [, encoded = ''] = /^Basic (.+)$/.exec(authorization ?? '') ?? [];
  const [, token] = /^x-access-token:(.+)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return token === undefined ? undefined : `Bearer ${token}`;
}

type Served = { readonly folder: string; readonly below: string; readonly query: string };

/** Source: https://git-scm.com/docs/git-http-backend, RFC 3875 */
function answerByGit(request: IncomingMessage, response: ServerResponse, { folder, below, query }: Served): void {
  const { headers, method = '' } = request;
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...{ PATH: process.env['PATH'], GIT_PROJECT_ROOT: dirname(folder), GIT_HTTP_EXPORT_ALL: '1', REMOTE_USER: 'app' },
      ...{ PATH_INFO: `/${basename(folder)}${below}`, QUERY_STRING: query, REQUEST_METHOD: method },
      ...{ CONTENT_TYPE: headers['content-type'] ?? '', GIT_PROTOCOL: String(headers['git-protocol'] ?? '') },
      // GitHub gives any commit by its id.
      ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'uploadpack.allowAnySHA1InWant', GIT_CONFIG_VALUE_0: 'true' },
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => undefined);
  const isZipped = headers['content-encoding'] === 'gzip';
  (isZipped ? request.pipe(createGunzip()) : request).pipe(backend.stdin);
  let head = Buffer.alloc(0);
  const read = (part: Buffer): void => {
    head = Buffer.concat([head, part]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    backend.stdout.off('data', read);
    const fields = head.subarray(0, end).toString('latin1').split('\r\n').map((line) => line.split(': ', 2)); // prettier-ignore
    const told = Object.fromEntries(fields) as Record<string, string>;
    const { Status: status = '200 OK', ...rest } = told;
    response.writeHead(Number(status.slice(0, 3)), rest);
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  };
  backend.stdout.on('data', read);
}
