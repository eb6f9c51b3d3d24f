import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isSameProcess, type ProcessIdentity } from '@workledger/sagas/components/process/processes.ts';
import { isZombie } from '../local/postgres/is-zombie.ts';
import { GATEWAY, stopProcess } from '../local/stop-process.ts';

const noteOf = (folder: string): string => join(folder, 'gateway.json');

/** Notes which process is the gateway of this folder, for the start after a kill -9. */
export const rememberGateway = (folder: string, pid: number): Promise<void> =>
  writeFile(noteOf(folder), JSON.stringify(identify(pid)));

/** Stops the gateway that a killed process left running. @throws Error in one line when it does not stop */
export async function stopLeftoverGateway(folder: string, log: (line: string) => void): Promise<void> {
  const last = await readNote(folder);
  const isRunning = (): boolean => last !== null && isSameProcess(last) && !isZombie(last.pid);
  if (last === null || !isRunning()) return;
  log(`the gateway (process ${last.pid}) is still running from last time: stopping it`);
  await stopProcess(GATEWAY, last.pid, isRunning);
}

/** A note that is only half there was being written as its writer died. */
async function readNote(folder: string): Promise<ProcessIdentity | null> {
  try {
    return JSON.parse(await readFile(noteOf(folder), 'utf8')) as ProcessIdentity;
  } catch {
    return null;
  }
}
