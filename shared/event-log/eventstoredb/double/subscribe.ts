import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { toPredicate, handlerFailed, writeTo, type ReadCall } from './read.ts';
import type { MemoryLog, StoredEvent } from './memory-log.ts';
import { caughtUp, checkpoint, confirmation, eventMessage } from './messages.ts';

/** Events that the server looks at in one go. */
const WINDOW = 32;
/** Events that wait for a live consumer at most. */
const MOST_WAITING = 500;

/** Subscriptions that run, for what may happen to all of them. */
export type Subscriptions = {
  serve(call: ReadCall): Promise<void>;
  /** Ends all with an error, as a server that shuts down does. */
  failAll(error: Error): void;
  /** From now on those that run get nothing, and do not hear of it. */
  silenceAll(): void;
  /** How many were opened. */
  opened(): number;
};

/** What the server says to those who read too slowly while events come. */
export const tooSlow = (): Error =>
  Object.assign(new Error(), {
    code: status.ABORTED,
    details: 'Consumer too slow to handle event while live. Client resubscription required.',
  });

export function createSubscriptions(log: MemoryLog): Subscriptions {
  const running = new Map<ReadCall, { fail(error: Error): void; silenced: boolean }>();
  let opened = 0;
  return {
    opened: () => opened,
    failAll: (error) => {
      for (const { fail } of running.values()) fail(error);
    },
    silenceAll: () => {
      for (const subscription of running.values()) subscription.silenced = true;
    },
    serve: (call) =>
      new Promise((resolve, reject) => {
        opened += 1;
        const state = { fail: reject, silenced: false };
        running.set(call, state);
        call.on('cancelled', resolve);
        call.on('close', resolve);
        subscribe(log, call, () => state.silenced).then(resolve, reject);
      }).finally(() => running.delete(call)) as Promise<void>,
  };
}

/** Everything after a position, then what comes, until the client leaves. */
async function subscribe(log: MemoryLog, call: ReadCall, isSilenced: () => boolean): Promise<void> {
  const filter = call.request.getOptions()?.getFilter();
  const passes = toPredicate(filter);
  const interval = WINDOW * Math.max(1, filter?.getCheckpointintervalmultiplier() ?? 1);
  let next = firstIndex(log, call);
  let searched = 0;
  await writeTo(call, confirmation(randomUUID()));

  const look = async (event: StoredEvent): Promise<boolean> => {
    next += 1;
    searched += 1;
    if (passes(event) && !(await writeTo(call, eventMessage(event, true)))) return false;
    if (filter === undefined || searched < interval) return true;
    searched = 0;
    return writeTo(call, checkpoint(event.position));
  };
  for (let event = log.all[next]; event !== undefined; event = log.all[next]) if (!(await look(event))) return;
  await writeTo(call, caughtUp());

  await new Promise<void>((resolve, reject) => {
    let isWriting = false;
    const pump = async (): Promise<void> => {
      isWriting = true;
      for (let event = log.all[next]; event !== undefined && !isSilenced(); event = log.all[next])
        if (!(await look(event))) return leave();
      isWriting = false;
    };
    const leave = (error?: Error): void => {
      ignore();
      if (error) reject(error);
      else resolve();
    };
    const ignore = log.onEvent(() => {
      if (isSilenced()) return;
      if (log.all.length - next > MOST_WAITING) leave(tooSlow());
      else if (!isWriting) void pump();
    });
    call.on('cancelled', () => leave());
    call.on('close', () => leave());
    void pump();
  });
}

function firstIndex(log: MemoryLog, call: ReadCall): number {
  const all = call.request.getOptions()?.getAll();
  if (all === undefined) throw handlerFailed();
  if (all.hasEnd()) return log.all.length;
  const position = all.getPosition();
  if (position === undefined) return 0;
  const index = log.indexOf(BigInt(position.getCommitPosition()));
  if (index < 0 || position.getCommitPosition() !== position.getPreparePosition()) throw handlerFailed();
  return index + 1;
}
