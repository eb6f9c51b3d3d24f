import type { EventLog } from '../../../event-log/port.ts';

export type CountedLog = {
  readonly log: EventLog;
  /** Subscriptions that go on now. */
  open(): number;
  /** Subscriptions that ever began. */
  opened(): number;
};

/** A log, and how often it is followed. */
export function countSubscriptions(log: EventLog): CountedLog {
  let open = 0;
  let opened = 0;
  const subscribe: EventLog['subscribe'] = async function* (options) {
    open += 1;
    opened += 1;
    try {
      yield* log.subscribe(options);
    } finally {
      open -= 1;
    }
  };
  return { log: { ...log, subscribe }, open: () => open, opened: () => opened };
}
