import { Worker } from 'node:worker_threads';
import type { Embedding } from '@workledger/shared/embeddings/port.ts';
import { createNearestIndex, type NearestIndex } from './nearest-index.ts';

/** The index, in a thread of its own: a search holds up no other request. */
export type NearestWorker = {
  add(ids: readonly string[], vectors: Int8Array, scales: Float32Array): Promise<void>;
  nearest(
    query: Embedding,
    count: number,
    among: readonly string[] | null,
  ): Promise<ReturnType<NearestIndex['nearest']>>;
  /** Bytes of its thread's memory: what the index holds, and the heap. */
  bytes(): Promise<number>;
  /** Whether it has ended: it answers nothing any more. */
  hasEnded(): boolean;
  stop(): Promise<void>;
};

/** As a text, so that it runs wherever the program does: as TypeScript, bundled, or loaded by a test runner. */
const source = (dimensions: number): string => `
const { parentPort } = require('node:worker_threads');
// what compilers call to keep a function's name
const __name = (named) => named;
const index = (${createNearestIndex.toString()})(${dimensions});
const calls = {
  ...index,
  bytes: () => index.bytes() + process.memoryUsage().heapTotal,
};
parentPort.on('message', ({ call, name, given }) => {
  try {
    parentPort.postMessage({ call, result: calls[name](...given) });
  } catch (error) {
    parentPort.postMessage({ call, error });
  }
});`;

type Reply = { readonly call: number; readonly result?: unknown; readonly error?: Error };
type Waiting = { resolve(result: unknown): void; reject(error: Error): void };

export function startNearestWorker(dimensions: number): NearestWorker {
  const worker = new Worker(source(dimensions), {
    ...{ eval: true, execArgv: [], name: 'nearest entries' },
    // Nothing in it lives long but the index, which is outside the heap.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let ended: Error | null = null;
  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on('message', ({ call, result, error }: Reply) => {
    const waiter = waiting.get(call);
    waiting.delete(call);
    // While nobody waits, it keeps no process from ending.
    if (waiting.size === 0) worker.unref();
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(error);
  });
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the thread that compares embeddings has ended')));
  worker.unref();

  const call = <Result>(name: string, given: readonly unknown[], moved: ArrayBuffer[] = []): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (ended !== null) return reject(ended);
      worker.ref();
      waiting.set(++calls, { resolve, reject });
      worker.postMessage({ call: calls, name, given }, moved);
    });
  return {
    add: (ids, vectors, scales) =>
      call('add', [ids, vectors, scales], [vectors.buffer as ArrayBuffer, scales.buffer as ArrayBuffer]),
    nearest: (query, count, among) => call('nearest', [query, count, among]),
    bytes: () => call('bytes', []),
    hasEnded: () => ended !== null,
    stop: async () => void (await worker.terminate()),
  };
}
