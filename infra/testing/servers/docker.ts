import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect } from 'vitest';
import { RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { anyEvents, collect } from '../events/any-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';

let asked: Promise<boolean> | undefined;

/** Whether a Docker engine answers here. Asked once a process, for at most 5 s; where none does, one line says what is skipped. */
export async function dockerAnswers(skipped: string): Promise<boolean> {
  asked ??= promisify(execFile)('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 }).then(
    () => true,
    () => false,
  );
  const answers = await asked;
  if (!answers) process.stderr.write(`${skipped} skipped: no Docker engine answers\n`);
  return answers;
}

type Service = { readonly image: string; readonly environment: Readonly<Record<string, string>> };

const file = join(import.meta.dirname, '..', '..', '..', 'docker-compose.yml');

/** Image and environment of a server, as the compose file has them. */
export function serverOf(name: 'eventstoredb' | 'kafka' | 'postgresql'): Service {
  const { services } = parse(readFileSync(file, 'utf8'), { merge: true }) as { services: Record<string, Service> };
  const service = services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** Appends two events, lets a second writer fail, and reads the stream. @returns the revisions that were read */
export async function appendsAndReads(log: EventLog): Promise<number[]> {
  const stream = streamName('task', newId());
  await log.append(stream, anyEvents(2), 'none');
  await expect(log.append(stream, anyEvents(1), 'none')).rejects.toThrow(RevisionConflict);
  return (await collect(log.readStream(stream))).map(({ revision }) => revision);
}
