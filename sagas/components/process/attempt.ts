import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { endControlGroup } from './control-group.ts';
import { otherDataFolders, rememberDataFolder, removeFolder } from './folders.ts';
import { identify, isSameProcess, kill, killGroup, killProcessesIn } from './processes.ts';
import { GRACE_MS, runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';
import { killMarked } from './tree.ts';

/** One try of one piece of work on this machine: what it runs and which folders it uses survive on disk until it ends. */
export type Attempt = {
  /** Unique, fit for a file name. */
  readonly id: string;
  /** Remembers a folder before it is made, so that it goes with the attempt, whoever ends it. @throws AttemptEnded */
  own(folder: string): void;
  /** Runs a program, recorded; one at a time. @throws AttemptEnded @throws ProcessNotStarted */
  run(options: ProcessOptions): Promise<ProcessResult>;
  /** Whether somebody else ended it: then its folders are gone, and what failed for that says nothing. */
  isEnded(): boolean;
  /** Ends what still runs and removes folders and record. */
  close(): Promise<void>;
};

/** Somebody else ended this attempt: a successor under the same key, or a clean-up. */
export class AttemptEnded extends Error {
  override name = 'AttemptEnded';
}

/** Takes the key over: first ends what an earlier attempt under the same key left on this machine. */
export async function openAttempt(options: { dataFolder: string; key: string; scope: string }): Promise<Attempt> {
  const { dataFolder, key, scope } = options;
  await killLeftover(dataFolder, key);
  rememberDataFolder(dataFolder);
  const { file, id } = newRecordFile(dataFolder, key);
  const nothing = { process: null, graceMs: GRACE_MS, groups: [], folders: [] };
  let record: AttemptRecord = { key, scope, owner: identify(process.pid), ...nothing };
  const change = (part: Partial<AttemptRecord>): void => {
    record = { ...record, ...part };
    writeRecord(file, record);
  };
  const isEnded = (): boolean => !existsSync(file);
  const stillOurs = (): void => {
    if (isEnded()) throw new AttemptEnded('ended by a successor or a clean-up');
  };
  change({});
  return {
    id,
    own: (folder) => {
      stillOurs();
      change({ folders: [...record.folders, folder] });
    },
    run: async (process) => {
      stillOurs();
      const onStart = (pid: number, groups: readonly string[]): void => {
        // Taken over as it was being started: nobody else knows of it.
        if (isEnded()) return void kill(-pid);
        change({ process: identify(pid), groups: [...groups], graceMs: process.graceMs ?? GRACE_MS });
        process.onStart?.(pid, groups);
      };
      const result = await runProcess({ ...process, mark: id, usualUmask: true, onStart });
      // A record that was removed meanwhile stays so: whoever took the key over is the only one from then on.
      if (!isEnded()) change({ process: null, groups: [] });
      return result;
    },
    isEnded,
    close: () => end(file, record),
  };
}

/** Ends every attempt under this key that this machine knows, in whichever worker's data folder. @returns how many there were */
export const killLeftover = (dataFolder: string, key: string): Promise<number> =>
  endEverywhere(dataFolder, (record) => record.key === key);

/** Ends every attempt of this scope on this machine, also running ones. @returns how many there were */
export const endScope = (dataFolder: string, scope: string): Promise<number> =>
  endEverywhere(dataFolder, (record) => record.scope === scope);

/** At start: ends what processes of this machine left behind in this data folder when they died. @returns how many there were */
export const sweepAttempts = (dataFolder: string): Promise<number> =>
  endAll(dataFolder, (record) => isOfThisMachine(record) && !isSameProcess(record.owner));

async function endEverywhere(dataFolder: string, wanted: (record: AttemptRecord) => boolean): Promise<number> {
  let ended = await endAll(dataFolder, wanted);
  for (const other of otherDataFolders(dataFolder))
    ended += await endAll(other, (record) => isOfThisMachine(record) && wanted(record));
  return ended;
}

const isOfThisMachine = ({ owner }: AttemptRecord): boolean => owner.host === identify(process.pid).host;

async function endAll(dataFolder: string, wanted: (record: AttemptRecord) => boolean): Promise<number> {
  const found = readRecords(dataFolder).filter(({ record }) => wanted(record));
  // What cannot be removed keeps its record, and does not keep the others.
  for (const { file, record } of found) await end(file, record).catch(() => undefined);
  return found.length;
}

/** The record goes last: if we die in between, the next one finds it again. */
async function end(file: string, record: AttemptRecord): Promise<void> {
  if (record.process !== null && isSameProcess(record.process)) await killGroup(record.process.pid, record.graceMs);
  await endControlGroup(record.groups);
  await killMarked(basename(file, '.json'));
  await killProcessesIn(record.folders);
  for (const folder of record.folders) await removeFolder(folder);
  removeRecord(file);
}

const identity = z.object({ host: z.string(), pid: z.int(), startedAt: z.string().nullable() });

const recordSchema = z.object({
  key: z.string(),
  /** What the attempt belongs to, so that all of it can be ended together. */
  scope: z.string(),
  owner: identity,
  /** Leader of the process group that runs now. */
  process: identity.nullable(),
  graceMs: z.int().default(GRACE_MS),
  /** Folders of the control group that it runs in. */
  groups: z.array(z.string()).default([]),
  /** Folders that go with the attempt. */
  folders: z.array(z.string()),
});
type AttemptRecord = z.infer<typeof recordSchema>;

const attemptsFolder = (dataFolder: string): string => join(dataFolder, 'attempts');
const nameOfKey = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 24);

/** A file name of its own for every start of the same key: a late end of the old one cannot touch the new one. */
export function newRecordFile(dataFolder: string, key: string): { file: string; id: string } {
  const id = `${nameOfKey(key)}-${randomBytes(4).toString('hex')}`;
  mkdirSync(attemptsFolder(dataFolder), { recursive: true });
  return { file: join(attemptsFolder(dataFolder), `${id}.json`), id };
}

/** Written at once and as a whole: after a kill it is there or it is not. */
export function writeRecord(file: string, record: z.input<typeof recordSchema>): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  renameSync(temporary, file);
}

const removeRecord = (file: string): void => rmSync(file, { force: true });

/** Records of this machine's data folder; what cannot be read is no record. */
function readRecords(dataFolder: string): { file: string; record: AttemptRecord }[] {
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
