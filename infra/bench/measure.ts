export type Measured = {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
};

/** Lets so many callers do the work over and over, each one thing at a time, for so many milliseconds. */
export async function measure(work: () => Promise<unknown>, callers: number, milliseconds: number): Promise<Measured> {
  const times: number[] = [];
  const start = performance.now();
  const caller = async (): Promise<void> => {
    let before = performance.now();
    while (before - start < milliseconds) {
      await work();
      const after = performance.now();
      times.push(after - before);
      before = after;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const percentile = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { perSecond: times.length / seconds, p50: percentile(0.5), p99: percentile(0.99) };
}
