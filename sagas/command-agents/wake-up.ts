import { once, EventEmitter } from 'node:events';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';

/** After these events there may be work for somebody. */
const WAKING = [
  'TaskCreated',
  'TaskRetried',
  'TaskClaimReleased',
  'TaskClaimExpired',
  'TaskCompleted',
  'DependencyRemoved',
  'AgentReleased',
  'AgentActivated',
  'AgentErrorCleared',
];

/** The read model that tells the next task may lag behind the event that woke us: look again soon after. */
const LOOK_AGAIN_MILLISECONDS = [20, 100, 500];
const POLL_MILLISECONDS = 2_000;
const LONGEST_REST_MILLISECONDS = 5_000;

/**
 * A hint when work may have come: every waiter is woken by the log, a few times shortly after, and by a slow poll, which is all
 * that is left while the log is away.
 */
export function createWakeUp(
  log: EventLog,
  outages: Outages,
  signal: AbortSignal,
): (signal: AbortSignal) => Promise<void> {
  const bell = new EventEmitter().setMaxListeners(0);
  void keepListening();

  async function keepListening(): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const after = await outages.watch('event-log', () => log.head());
        bell.emit('work');
        for await (const { events } of log.subscribe({ after, types: WAKING, signal })) {
          attempt = 0;
          if (events.length > 0) ring();
        }
      } catch (error) {
        if (!signal.aborted) outages.notice('event-log', error);
      }
      await pause(backOff(attempt, 100, LONGEST_REST_MILLISECONDS), signal);
    }
  }

  function ring(): void {
    bell.emit('work');
    for (const delay of LOOK_AGAIN_MILLISECONDS) setTimeout(() => bell.emit('work'), delay).unref();
  }

  return async (waiting) => {
    const either = new AbortController();
    const both = AbortSignal.any([waiting, either.signal]);
    try {
      await Promise.race([once(bell, 'work', { signal: both }).catch(() => undefined), pause(POLL_MILLISECONDS, both)]);
    } finally {
      either.abort();
    }
  };
}
