import { writeSync } from 'node:fs';
import { pino, type DestinationStream } from 'pino';

/** What a reader that is slow may hold up the end of the process. Milliseconds. */
const PATIENCE = 1_000;
const PAUSE = 10;

/** Of sonic-boom 4: what it has not written yet. */
type Unwritten = { _writing: boolean; _writingBuf: string; _bufs: string[]; flushSync(): void };

/**
 * Standard output for log lines, written behind the caller's back, what is left at the exit included: a write for each line would
 * cost more than the request. The end of the process waits for no reader that is gone: sonic-boom itself would write to it for ever.
 */
export function standardOutput(): DestinationStream {
  const destination = pino.destination({ dest: 1, sync: false });
  const unwritten = destination as unknown as Unwritten;
  unwritten.flushSync = () => {
    const rest = [...(unwritten._writing ? [] : [unwritten._writingBuf]), ...unwritten._bufs].join('');
    unwritten._bufs = [];
    if (!unwritten._writing) unwritten._writingBuf = '';
    writeWhatGoes(Buffer.from(rest));
  };
  return destination;
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
