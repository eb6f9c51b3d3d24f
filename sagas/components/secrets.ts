import type { Failure } from '@workledger/shared/contexts/values.ts';
import { hidden, isSecretName, maskText } from '@workledger/shared/telemetry/mask.ts';
import { ComponentFailure } from '../engine/component.ts';
import type { ProcessResult } from './process/run-process.ts';
import type { ComponentEnvironment } from './environment.ts';

/** Shorter values are words of any text. */
const SHORTEST = 6;

/** Hides these exact values wherever a program says them. */
export type Secrets = {
  text(text: string): string;
  /** Its standard output stays as it is, to be read; whoever keeps something of that masks it. */
  result(result: ProcessResult): ProcessResult;
  failure(error: ComponentFailure): ComponentFailure;
};

/**
 * The values of variables that agents and repositories name as `secrets`, those of their `environment` whose name or value looks like
 * a secret, what the repositories' addresses hold, and what other systems let us in by.
 */
export function secretsOf(
  {
    configuration: { agents, repositories },
    ...systems
  }: Pick<ComponentEnvironment, 'configuration' | 'github' | 'gitLogins' | 'linear' | 'slack' | 'models' | 'codegen'>,
  from: NodeJS.ProcessEnv = process.env,
): Secrets {
  const of = (names: readonly string[], counts: (name: string, value: string) => boolean): string[] =>
    names.flatMap((name) => {
      const value = from[name] ?? '';
      return counts(name, value) ? [value, ...credentialsIn(value)] : [];
    });
  const handed = [...agents, ...repositories].flatMap(({ secrets, environment }) => [
    ...of(secrets, () => true),
    ...of(environment, isSecret),
  ]);
  const { github, gitLogins, linear, slack, models, codegen } = systems;
  // Some are made while the call is under way.
  const logins = (): string[] =>
    [github, gitLogins, linear, slack, models, codegen].flatMap((system) => system?.secrets() ?? []);
  const named = asSaid([...handed, ...repositories.flatMap(({ url }) => credentialsIn(url))]);
  return hiding(() => [...new Set([...named, ...asSaid(logins())])].sort((one, other) => other.length - one.length));
}

/** Values as they may be said. */
const asSaid = (values: readonly string[]): string[] =>
  values
    .flatMap((value) => [value, value.trim(), JSON.stringify(value).slice(1, -1)])
    .filter((value) => value.length >= SHORTEST);

/** Names of variables that hold a secret although no field of a log line is called so. */
const SECRET_VARIABLE = /(^|_)(auth|keys?|pat|pw|pwd|pass|passphrase|dsn|cert|pem|jwt)(_|$)|password/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Of one piece without a separator: what words and numbers are joined with. */
const LONG = 16;
/** Bits for each character: words and numbers have less. */
const RANDOM = 3;

/** Whether a variable is a secret by its name or by its value; a word like `milliseconds` is none. */
export const isSecret = (name: string, value: string): boolean =>
  isSecretName(name) || SECRET_VARIABLE.test(name) || maskText(value) !== value || looksRandom(value.trim());

function looksRandom(value: string): boolean {
  if (value.includes('PRIVATE KEY-----') || UUID.test(value)) return true;
  if (!/^[\w+/=.~:-]+$/.test(value) || /^[/.~]|:\/\//.test(value)) return false;
  return value
    .split(/[^A-Za-z0-9+/]+/)
    .some((piece) => piece.length >= LONG && /\d/.test(piece) && /[A-Za-z]/.test(piece) && bitsOf(piece) >= RANDOM);
}

function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / text.length);
  return shares.reduce((bits, share) => bits - share * Math.log2(share), 0);
}

function hiding(values: () => readonly string[]): Secrets {
  const text = (said: string): string => values().reduce((now, value) => now.replaceAll(value, hidden), said);
  // Byte for byte: an output need not be UTF-8.
  const bytes = (said: Buffer): Buffer => {
    const found = values().filter((value) => said.includes(value));
    if (found.length === 0) return said;
    return Buffer.from(
      found
        .map((value) => Buffer.from(value).toString('latin1'))
        .reduce((now, value) => now.replaceAll(value, hidden), said.toString('latin1')),
      'latin1',
    );
  };
  const inFailure = (failure: Failure): Failure => ({
    ...failure,
    reason: text(failure.reason),
    command: failure.command?.map(text) ?? null,
    lastLines: failure.lastLines.map(text),
  });
  return {
    text,
    result: (result) => ({
      ...result,
      stderr: bytes(result.stderr),
      output: bytes(result.output),
    }),
    failure: (error) => new ComponentFailure(inFailure(error.failure), error),
  };
}

/** Password, or the user's name where it stands alone, as written and as meant. */
function credentialsIn(url: string): string[] {
  const [, scheme = '', user = '', password] = /^([a-z][a-z0-9+.-]*):\/\/([^/@:]*)(?::([^/@]*))?@/i.exec(url) ?? [];
  const written = password ?? (/^https?$/i.test(scheme) ? user : '');
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    return [written];
  }
}
