export type Closers = {
  /** Remembers how to close what has just been opened. */
  add(close: () => unknown): void;
  /** Closes all, newest first; what fails does not keep the others open. @throws the first failure, after all were tried */
  close(): Promise<void>;
};

/** What must be closed again, also when opening the next thing fails. */
export function createClosers(): Closers {
  const open: (() => unknown)[] = [];
  return {
    add: (close) => void open.push(close),
    close: async () => {
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
