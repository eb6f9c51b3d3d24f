import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { isAlive, ownerOfDataFolder } from './postgres/data-folder-lock.ts';
import type { System } from './system.ts';

const LOOK_MILLISECONDS = 200;
const TELL_MILLISECONDS = 3_000;

/** Where a Workledger that stops says what it waits for. */
const noteIn = (dataFolder: string): string => join(dataFolder, 'stopping');

/**
 * Tells every few seconds what a stop waits for: here, and to whoever asked for it from elsewhere.
 * @returns ends it
 */
export async function tellWhatIsUnderWay(
  dataFolder: string,
  system: Pick<System, 'underWay'>,
  say: (line: string) => void,
): Promise<() => Promise<void>> {
  const over = new AbortController();
  const note = noteIn(dataFolder);
  const tell = async (): Promise<void> => {
    const lines = system.underWay().map((what) => `waiting for ${what}`);
    for (const line of lines) say(line);
    // A disk that is full does not keep it from stopping.
    await writeFile(note, lines.join('\n'), { mode: 0o600 }).catch(() => undefined);
  };
  await tell();
  const telling = (async () => {
    for (;;) {
      await pause(TELL_MILLISECONDS, over.signal);
      if (over.signal.aborted) return;
      await tell();
    }
  })();
  return async () => {
    over.abort();
    await telling;
    await rm(note, { force: true });
  };
}

/**
 * Asks the Workledger that keeps this data folder to stop, and waits until its process has ended. The process is told by its start,
 * too: no other one that has its number now gets the signal.
 * @throws Error in one line when none runs there, or it cannot be asked
 */
export async function stopRunning(dataFolder: string, say: (line: string) => void): Promise<void> {
  const owner = await ownerOfDataFolder(join(dataFolder, 'postgres'));
  if (owner === null) throw new Error(`no Workledger runs on the data folder ${dataFolder} of this machine`);
  try {
    process.kill(owner.pid, 'SIGTERM');
  } catch (error) {
    throw new Error(`process ${owner.pid} cannot be asked to stop: ${oneLine(error)}`, { cause: error });
  }
  say(`process ${owner.pid} was asked to stop`);
  for (let told = performance.now(); isAlive(owner); await pause(LOOK_MILLISECONDS)) {
    if (performance.now() - told < TELL_MILLISECONDS) continue;
    told = performance.now();
    const lines = await readFile(noteIn(dataFolder), 'utf8').catch(() => '');
    say(lines === '' ? 'it stops' : lines);
  }
  say('stopped');
}
