import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { get as getOpen, type IncomingHttpHeaders } from 'node:http';
import { get, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { removeFolder, temporaryFolder } from '../testing/processes/folder.ts';
import { createAuthority, type Authority } from '../testing/servers/authority.ts';
import { startGateway, type Gateway } from './start-gateway.ts';
import { caddyForTests, gatewayFolder, startUpstream } from './testing.ts';

const caddy = await caddyForTests();
const nobody = { commandServices: ['127.0.0.1:9'], queryServices: ['127.0.0.1:9'], log: () => undefined };

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders };

const ask = (url: string, options: RequestOptions): Promise<Answer> =>
  new Promise((resolve, reject) => {
    get(url, options, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    }).once('error', reject);
  });

describe.skipIf(caddy === null)('the gateway with a certificate of yours', () => {
  let authority: Authority;
  let another: Authority;
  beforeAll(async () => {
    [authority, another] = await Promise.all([createAuthority(), createAuthority()]);
  });

  async function start(of: Authority = authority): Promise<{ gateway: Gateway; stop: () => Promise<void> }> {
    const folder = await temporaryFolder('certificate');
    const { certificate, key } = await of.issue('localhost');
    const tls = { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') };
    await writeFile(tls.certificate, certificate);
    await writeFile(tls.key, key, { mode: 0o600 });
    const upstream = await startUpstream('q');
    const services = { ...nobody, queryServices: [upstream.address], folder: await gatewayFolder() };
    const gateway = (await startGateway({ listen: { host: '127.0.0.1', port: 0 }, tls, ...services }))!;
    return {
      gateway,
      stop: async () => {
        await gateway.stop();
        await upstream.die();
        await removeFolder(folder);
      },
    };
  }

  it('is reached over TLS only, and says that it stays so', async () => {
    const { gateway, stop } = await start();
    expect(gateway.url).toMatch(/^https:/);
    const place = gateway.url.replace('127.0.0.1', 'localhost');
    const trusted = { ca: authority.certificate };
    for (const [path, status] of [
      ['/api/v1/tasks', 200],
      ['/health/live', 200],
      ['/no-such-path', 404],
    ] as const) {
      const answer = await ask(place + path, trusted);
      expect([answer.status, answer.headers['strict-transport-security']]).toEqual([status, 'max-age=31536000']);
    }
    await expect(ask(place, { ca: another.certificate })).rejects.toMatchObject({ code: 'CERT_SIGNATURE_FAILURE' });
    await expect(ask(gateway.url, trusted)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    await expect(ask(place, { ...trusted, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
    const inTheOpen = await new Promise<number | undefined>(
      (resolve, reject) =>
      getOpen(`${place.replace('https:', 'http:')}/api/v1/tasks`, ({ statusCode }) => resolve(statusCode)).once('error', reject), // prettier-ignore
    );
    expect(inTheOpen).toBe(400);
    await stop();
  });

  it('without one, it does not listen for other machines unless that is said', async () => {
    const folder = await gatewayFolder();
    const wide = { listen: { host: '0.0.0.0', port: 0 }, ...nobody, folder };
    await expect(startGateway(wide)).rejects.toThrow(
      /^the gateway: host: "0\.0\.0\.0" is open to other machines, without TLS → set tls, or "insecureHttp": true/,
    );
    const gateway = (await startGateway({ ...wide, insecureHttp: true }))!;
    expect((await fetch(`http://127.0.0.1:${new URL(gateway.url).port}/health/live`)).status).toBe(200);
    await gateway.stop();
  });

  it('says which file it cannot read', async () => {
    const tls = { certificate: '/no/such.pem', key: '/no/such.key' };
    const started = startGateway({ listen: { host: '127.0.0.1', port: 0 }, tls, ...nobody, folder: await gatewayFolder() }); // prettier-ignore
    await expect(started).rejects.toThrow(/^the gateway did not start: .*\/no\/such\.(pem|key)/);
  });

  it('its file names no way without a word on TLS, and asks ACME for the name that it was given', async () => {
    const adapt = async (environment: Record<string, string>): Promise<string> => {
      const args = ['adapt', '--config', join(import.meta.dirname, 'Caddyfile')];
      return (await promisify(execFile)(caddy!.program, args, { env: environment })).stdout;
    };
    await expect(adapt({})).rejects.toThrow();
    expect(await readFile(join(import.meta.dirname, 'Caddyfile'), 'utf8')).not.toContain('{$GATEWAY_TLS:');
    const adapted = JSON.parse(
      await adapt({
        GATEWAY_TLS: 'acme',
        GATEWAY_SITE: 'https://ledger.example.org',
        GATEWAY_AUTO_HTTPS: 'disable_redirects',
        GATEWAY_EMAIL: 'ops@example.org',
      }),
    ) as { apps: { tls: unknown } };
    expect(adapted.apps.tls).toMatchObject({
      automation: {
        policies: [
          {
            subjects: ['ledger.example.org'],
            issuers: [
              { module: 'acme', email: 'ops@example.org', ca: 'https://acme-v02.api.letsencrypt.org/directory' },
            ],
          },
        ],
      },
    });
  });
});
