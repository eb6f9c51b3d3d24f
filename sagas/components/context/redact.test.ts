import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSecretFile, withoutSecrets } from './redact.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const text = (alphabet: string, length: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length }).map((all) => all.join(''));

/** Secrets of well-known forms: what names their form, and what is random in them. */
const secrets: Record<string, fc.Arbitrary<string>> = {
  aws: text('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16).map((rest) => `AKIA${rest}`),
  github: text(LETTERS, 36).map((rest) => `ghp_${rest}`),
  gitlab: text(LETTERS, 20).map((rest) => `glpat-${rest}`),
  slack: text(LETTERS, 24).map((rest) => `xoxb-1234567890-${rest}`),
  stripe: text(LETTERS, 24).map((rest) => `sk_live_${rest}`),
  openai: text(LETTERS, 40).map((rest) => `sk-proj-${rest}`),
  google: text(LETTERS, 35).map((rest) => `AIza${rest}`),
  npm: text(LETTERS, 36).map((rest) => `npm_${rest}`),
  jwt: fc.tuple(text(LETTERS, 20), text(LETTERS, 30)).map(([one, two]) => `eyJ${one}.eyJ${two}.${one}`),
};
const surroundings = fc.constantFrom(
  (secret: string) => `const key = '${secret}';`,
  (secret: string) => `export TOKEN=${secret}\nnext`,
  (secret: string) => `{ "value": "${secret}" }`,
  (secret: string) => `// see ${secret} for more`,
);

describe('what is told of the code', () => {
  it.each(Object.entries(secrets))('never holds a planted secret: %s', (_, secret) => {
    fc.assert(
      fc.property(secret, surroundings, (planted, surround) => {
        expect(withoutSecrets(surround(planted))).not.toContain(planted);
      }),
    );
  });

  it('never holds what is assigned to a name that says so', () => {
    const names = fc.constantFrom('password', 'DB_PASSWORD', 'apiKey', 'client_secret', 'authToken', 'accessKey');
    const assign = fc.constantFrom(': ', '=', ' = ', ' => ', ' := ');
    // One letter again and again, or words, is nobody's secret.
    const value = text(LETTERS, 24).filter((one) => new Set(one).size >= 18 && /\d/.test(one));
    fc.assert(
      fc.property(names, assign, value, (name, sign, value) => {
        expect(withoutSecrets(`${name}${sign}"${value}"`)).not.toContain(value);
      }),
    );
  });

  it.each([
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----', 'MIIEow'],
    ['the beginning of one', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXkt', 'b3Blbn'],
    ['a password in an address', 'postgres://shop:hunter22hunter@db/shop', 'hunter22hunter'],
    ['a random value of any name', `x = "tR7pQ2vX9mK4sW8zB3nL6cY1"`, 'tR7pQ2vX9mK4'],
  ])('does not hold %s', (_, given, secret) => {
    expect(withoutSecrets(given)).not.toContain(secret);
  });

  it.each([
    "const token = readToken('github');",
    'password: process.env.PASSWORD,',
    'export const tokenLifetime = 3_600;',
    'secret: z.string().min(8),',
    'const authentication = authenticateBySecret(secret, name);',
    "import { createHash } from 'node:crypto';",
    'const path = "shared/telemetry/mask/one-line.ts";',
  ])('leaves code as it is: %s', (line) => {
    expect(withoutSecrets(line)).toBe(line);
  });

  // Were it more than linear, the test's own limit would end it.
  it('comes to an end with what is long', () => {
    const long = `token${'a'.repeat(200_000)}`;
    expect(withoutSecrets(long)).toBe(long);
    expect(withoutSecrets('-----BEGIN PRIVATE KEY-----'.repeat(2_000))).not.toContain('BEGIN');
  });

  it.each(['.env', 'app/.env.production', 'keys/server.pem', 'home/id_ed25519', 'config/secrets.yaml'])(
    'shows nothing of %s',
    (path) => expect(isSecretFile(path)).toBe(true),
  );
  it.each(['.env.example', 'src/secrets.ts', 'key.go'])('shows %s', (path) => expect(isSecretFile(path)).toBe(false));
});
