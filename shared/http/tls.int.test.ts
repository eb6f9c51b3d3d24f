import { get } from 'node:https';
import { expect, it } from 'vitest';
import { createAuthority } from '@workledger/infra/testing/servers/authority.ts';
import { startServer } from './server.ts';

it('serves HTTPS with a certificate, and nothing else', async () => {
  const authority = await createAuthority();
  const tls = await authority.issue('localhost');
  const server = await startServer((_, response) => response.end(), { host: '127.0.0.1', port: 0, tls });
  expect(server.url).toBe(`https://127.0.0.1:${server.port}`);
  const strict = await new Promise((resolve, reject) =>
    get(`https://localhost:${server.port}`, { ca: authority.certificate }, (response) => {
      response.resume();
      resolve(response.headers['strict-transport-security']);
    }).once('error', reject),
  );
  expect(strict).toBe('max-age=31536000');
  await expect(fetch(`http://127.0.0.1:${server.port}`)).rejects.toThrow();
  await server.stop(0);
});

it('says what is wrong with a certificate', async () => {
  const tls = { certificate: 'no PEM', key: 'no PEM' };
  await expect(startServer(() => undefined, { host: '127.0.0.1', port: 0, tls })).rejects.toThrow(
    /^tls: .* → use a certificate and the key/,
  );
});
