export type Closers = {
  /** Aborts as the closing begins. */
  readonly closing: AbortSignal;
  /** Remembers how to close what has just been opened. */
  add(close: () => unknown): void;
  /** Closes all, newest first; what fails does not keep the others open. @throws the first failure, after all were tried */
  close(): Promise<void>;
};

/** What must be closed again, also when opening the next thing fails. */
export function createClosers(): Closers {
  const open: (() => unknown)[] = [];
  const closing = new AbortController();
  return {
    closing: closing.signal,
    add: (close) => void open.push(close),
    close: async () => {
      closing.abort();
      const failures: unknown[] = [];
      for (let close = open.pop(); close !== undefined; close = open.pop()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
