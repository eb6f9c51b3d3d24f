import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const SCRIPT = join(import.meta.dirname, 'make-certificates.sh');
const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

it.runIf(hasOpenssl)('makes certificates that their authority vouches for, once, and forgets its key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-certificates-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const own = process.getuid?.() ?? 0;
  const owner = own === 0 ? 1234 : own;
  const make = (...servers: string[]): string =>
    execFileSync('sh', [SCRIPT, folder, ...servers], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const read = (name: string): X509Certificate => new X509Certificate(readFileSync(join(folder, name)));

  expect(make(`eventstoredb:${owner}`, `postgresql:${owner}`)).toBe('certificates are made');
  const authority = read('ca.crt');
  expect(authority.ca).toBe(true);
  for (const name of ['eventstoredb', 'postgresql']) {
    const certificate = read(`${name}.crt`);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect([certificate.ca, certificate.checkHost(name), certificate.checkHost('other')]).toEqual([
      false,
      name,
      undefined,
    ]);
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    const { mode, uid } = statSync(join(folder, `${name}.key`));
    expect([(mode & 0o777).toString(8), uid]).toEqual(['600', owner]);
  }
  const wanted = ['authority', 'ca.crt', 'eventstoredb.crt', 'eventstoredb.key', 'postgresql.crt', 'postgresql.key'];
  expect(readdirSync(folder).sort()).toEqual(wanted);
  expect(readdirSync(join(folder, 'authority'))).toEqual(['ca.crt']);

  expect(make(`eventstoredb:${owner}`, `postgresql:${owner}`)).toBe('certificates are kept');
  expect(read('ca.crt').fingerprint256).toBe(authority.fingerprint256);
  expect(make(`eventstoredb:${owner}`, `postgresql:${owner}`, `kafka:${owner}`)).toBe('certificates are made');
  expect(read('kafka.crt').verify(read('ca.crt').publicKey)).toBe(true);
  expect(read('postgresql.crt').verify(read('ca.crt').publicKey)).toBe(true);
});
