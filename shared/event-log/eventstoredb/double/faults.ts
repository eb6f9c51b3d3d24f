/** What can be told to go wrong. Those in the first line strike once, at the next append. */
export const FAULTS = [
  ...(['conflict', 'drop-before-write', 'drop-after-write', 'lose-answer', 'duplicate-ids'] as const),
  ...(['freeze', 'thaw', 'half-open', 'away', 'back', 'cut', 'reset', 'slow-consumer', 'silence'] as const),
  ...(['unauthenticated', 'denied', 'admitted'] as const),
] as const;

export type Fault = (typeof FAULTS)[number];

type AtNextAppend = Extract<
  Fault,
  'conflict' | 'drop-before-write' | 'drop-after-write' | 'lose-answer' | 'duplicate-ids'
>;

export const isFault = (name: string): name is Fault => FAULTS.some((fault) => fault === name);

const AT_NEXT_APPEND: ReadonlySet<Fault> = new Set<AtNextAppend>([
  'conflict',
  'drop-before-write',
  'drop-after-write',
  'lose-answer',
  'duplicate-ids',
]);

/** Faults that wait for the next append. */
export type PendingFaults = {
  /** @returns false when the fault is none that waits */
  add(fault: Fault): boolean;
  /** Whether this fault is due; it is used up. */
  take(fault: AtNextAppend): boolean;
};

export function createPendingFaults(): PendingFaults {
  const waiting: Fault[] = [];
  return {
    add: (fault) => AT_NEXT_APPEND.has(fault) && waiting.push(fault) > 0,
    take: (fault) => {
      const index = waiting.indexOf(fault);
      if (index < 0) return false;
      waiting.splice(index, 1);
      return true;
    },
  };
}
