import { parentPort } from 'node:worker_threads';
import { encodeFacts } from './facts.ts';
import { createAnalyse } from './parse.ts';

/** A file to be parsed. */
export type Source = { readonly blob: string; readonly path: string; readonly text: string };

/** What a thread answers to a list of files: lines of `encodeFacts`, in their order. */
export type Answer = { readonly lines: readonly string[] } | { readonly problem: string };

const analyse = createAnalyse();

parentPort?.on('message', (sources: readonly Source[]) => {
  void (async () => {
    try {
      const lines: string[] = [];
      for (const { blob, path, text } of sources) lines.push(encodeFacts(blob, await analyse(path, text)));
      parentPort?.postMessage({ lines } satisfies Answer);
    } catch (error) {
      parentPort?.postMessage({ problem: String(error) } satisfies Answer);
    }
  })();
});
