import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const identity = z.object({ host: z.string(), pid: z.int(), startedAt: z.string().nullable() });

const recordSchema = z.object({
  key: z.string(),
  /** What the attempt belongs to, so that all of it can be ended together. */
  scope: z.string(),
  owner: identity,
  /** Leader of the process group that runs now. */
  process: identity.nullable(),
  /** Folders that go with the attempt. */
  folders: z.array(z.string()),
});
export type AttemptRecord = z.infer<typeof recordSchema>;

const attemptsFolder = (dataFolder: string): string => join(dataFolder, 'attempts');
const nameOfKey = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 24);

/** A file name of its own for every start of the same key: a late end of the old one cannot touch the new one. */
export function newRecordFile(dataFolder: string, key: string): { file: string; id: string } {
  const id = `${nameOfKey(key)}-${randomBytes(4).toString('hex')}`;
  mkdirSync(attemptsFolder(dataFolder), { recursive: true });
  return { file: join(attemptsFolder(dataFolder), `${id}.json`), id };
}

/** Written at once and as a whole: after a kill it is there or it is not. */
export function writeRecord(file: string, record: AttemptRecord): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  renameSync(temporary, file);
}

export const removeRecord = (file: string): void => rmSync(file, { force: true });

/** Records of this machine's data folder; what cannot be read is no record. */
export function readRecords(dataFolder: string): { file: string; record: AttemptRecord }[] {
  return names(dataFolder).flatMap((name) => {
    const file = join(attemptsFolder(dataFolder), name);
    try {
      return [{ file, record: recordSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) }];
    } catch {
      return [];
    }
  });
}

function names(dataFolder: string): string[] {
  try {
    return readdirSync(attemptsFolder(dataFolder)).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
