import { once, EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '@workledger/shared/event-log/port.ts';

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

/** A hint when work may have come: every waiter is woken by the log, a few times shortly after, and by a slow poll. */
export function createWakeUp(log: EventLog, signal: AbortSignal): (signal: AbortSignal) => Promise<void> {
  const bell = new EventEmitter().setMaxListeners(0);
  void listen().catch(() => undefined);

  async function listen(): Promise<void> {
    const after = await log.head();
    for await (const { events } of log.subscribe({ after, types: WAKING, signal })) {
      if (events.length === 0) continue;
      bell.emit('work');
      for (const delay of LOOK_AGAIN_MILLISECONDS) setTimeout(() => bell.emit('work'), delay).unref();
    }
  }

  return async (waiting) => {
    const either = new AbortController();
    const both = AbortSignal.any([waiting, either.signal]);
    try {
      await Promise.race([once(bell, 'work', { signal: both }), pause(POLL_MILLISECONDS, undefined, { signal: both })]);
    } finally {
      either.abort();
    }
  };
}
