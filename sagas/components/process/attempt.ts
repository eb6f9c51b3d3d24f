import { existsSync } from 'node:fs';
import { newRecordFile, readRecords, removeRecord, writeRecord, type AttemptRecord } from './attempt-record.ts';
import { otherDataFolders, rememberDataFolder } from './data-folders.ts';
import { killGroup } from './kill-group.ts';
import { killProcessesIn } from './kill-processes-in.ts';
import { identify, isSameProcess } from './process-identity.ts';
import { removeFolder } from './remove-folder.ts';
import { runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';

/** One try of one piece of work on this machine: what it runs and which folders it uses survive on disk until it ends. */
export type Attempt = {
  /** Unique, fit for a file name. */
  readonly id: string;
  /** Remembers a folder before it is made, so that it goes with the attempt, whoever ends it. @throws AttemptEnded */
  own(folder: string): void;
  /** Runs a program, recorded; one at a time. @throws AttemptEnded @throws ProcessNotStarted */
  run(options: ProcessOptions): Promise<ProcessResult>;
  /** Ends what still runs and removes folders and record. */
  close(): Promise<void>;
};

/** Somebody else ended this attempt: a successor under the same key, or a clean-up. */
export class AttemptEnded extends Error {
  override name = 'AttemptEnded';
}

const GRACE_MS = 2_000;

/** Takes the key over: first ends what an earlier attempt under the same key left on this machine. */
export async function openAttempt(options: { dataFolder: string; key: string; scope: string }): Promise<Attempt> {
  const { dataFolder, key, scope } = options;
  await killLeftover(dataFolder, key);
  rememberDataFolder(dataFolder);
  const { file, id } = newRecordFile(dataFolder, key);
  let record: AttemptRecord = { key, scope, owner: identify(process.pid), process: null, folders: [] };
  const change = (part: Partial<AttemptRecord>): void => {
    record = { ...record, ...part };
    writeRecord(file, record);
  };
  const stillOurs = (): void => {
    if (!existsSync(file)) throw new AttemptEnded('ended by a successor or a clean-up');
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
      const onStart = (pid: number): void => {
        change({ process: identify(pid) });
        process.onStart?.(pid);
      };
      const result = await runProcess({ ...process, onStart });
      change({ process: null });
      return result;
    },
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
  for (const { file, record } of found) await end(file, record);
  return found.length;
}

/** The record goes last: if we die in between, the next one finds it again. */
async function end(file: string, record: AttemptRecord): Promise<void> {
  if (record.process !== null && isSameProcess(record.process)) await killGroup(record.process.pid, GRACE_MS);
  await killProcessesIn(record.folders);
  for (const folder of record.folders) await removeFolder(folder);
  removeRecord(file);
}
