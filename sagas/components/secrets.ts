import type { Failure } from '@workledger/shared/contexts/values.ts';
import { hidden } from '@workledger/shared/telemetry/mask.ts';
import { ComponentFailure } from '../engine/component.ts';
import type { ProcessResult } from './process/run-process.ts';
import type { ComponentEnvironment } from './environment.ts';

/** Shorter values are words of any text. */
const SHORTEST = 6;

/** Hides these exact values wherever a program says them. */
export type Secrets = {
  text(text: string): string;
  result(result: ProcessResult): ProcessResult;
  failure(error: ComponentFailure): ComponentFailure;
};

/** What agents are handed by `environment` and what the repositories' addresses hold. */
export function secretsOf(
  { configuration }: Pick<ComponentEnvironment, 'configuration'>,
  from: NodeJS.ProcessEnv = process.env,
): Secrets {
  const named = configuration.agents.flatMap(({ environment }) => environment.map((name) => from[name] ?? ''));
  const values = [...named, ...configuration.repositories.flatMap(({ url }) => credentialsIn(url))]
    .flatMap((value) => [value, value.trim(), JSON.stringify(value).slice(1, -1)])
    .filter((value) => value.length >= SHORTEST)
    .sort((one, other) => other.length - one.length);
  return hiding([...new Set(values)]);
}

function hiding(values: readonly string[]): Secrets {
  const text = (said: string): string => values.reduce((now, value) => now.replaceAll(value, hidden), said);
  // Byte for byte: an output need not be UTF-8.
  const inBytes = values.map((value) => Buffer.from(value).toString('latin1'));
  const bytes = (said: Buffer): Buffer => {
    if (!values.some((value) => said.includes(value))) return said;
    return Buffer.from(
      inBytes.reduce((now, value) => now.replaceAll(value, hidden), said.toString('latin1')),
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
      stdout: bytes(result.stdout),
      stderr: bytes(result.stderr),
      output: bytes(result.output),
    }),
    failure: (error) => new ComponentFailure(inFailure(error.failure), error),
  };
}

/** Password, or the user's name where it stands alone, as written and as meant. */
function credentialsIn(url: string): string[] {
  const [, user = '', password] = /^https?:\/\/([^/@:]*)(?::([^/@]*))?@/i.exec(url) ?? [];
  const written = password ?? user;
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    return [written];
  }
}
