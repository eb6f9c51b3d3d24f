import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { pino, type DestinationStream } from 'pino';

/** What a reader that is slow may hold up the end of the process. Milliseconds. */
const PATIENCE = 1_000;
const PAUSE = 10;

/** Of sonic-boom 4: what it has not written yet. */
type Unwritten = { _writing: boolean; _writingBuf: string; _bufs: string[]; flushSync(): void };

/** Of the process's one standard output. */
let unwritten: Unwritten | null = null;

/**
 * Standard output for log lines, written behind the caller's back: a write for each line would cost more than the request. Who ends
 * the process in order waits for `outputWritten` first; else what is left is written at the exit, but for a write in hand. No end waits
 * for a reader that is gone: sonic-boom itself would write to it for ever.
 */
export function standardOutput(): DestinationStream {
  // Opened as a stream, a pipe does not block: a thread that waits in a write for a reader would keep the process from ending.
  process.stdout.on('error', () => undefined);
  const destination = pino.destination({ dest: 1, sync: false });
  unwritten = endableOutput(destination as unknown as Unwritten);
  return destination;
}

/** Resolves when every log line is written, or when nobody reads them. */
export async function outputWritten(): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE;
  const isLeft = (): boolean => unwritten !== null && (unwritten._writing || unwritten._bufs.length > 0);
  while (isLeft() && performance.now() < giveUpAt) await pause(PAUSE / 2);
}

function endableOutput(unwritten: Unwritten): Unwritten {
  unwritten.flushSync = () => {
    const rest = [...(unwritten._writing ? [] : [unwritten._writingBuf]), ...unwritten._bufs].join('');
    unwritten._bufs = [];
    if (!unwritten._writing) unwritten._writingBuf = '';
    writeWhatGoes(Buffer.from(rest));
  };
  return unwritten;
}

function writeWhatGoes(bytes: Buffer): void {
  const giveUpAt = performance.now() + PATIENCE;
  for (let written = 0; written < bytes.length && performance.now() < giveUpAt;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}
