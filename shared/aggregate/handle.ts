import { setTimeout as pause } from 'node:timers/promises';
import type { CommandAnswer, CommandContext } from '../commands/port.ts';
import { CommandRefused, refuse } from '../commands/refusal.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import { newId, streamName } from '../contexts/stream.ts';
import { AppendTooLarge, InvalidAppend, OutcomeUnknown, RevisionConflict } from '../event-log/errors.ts';
import type { AppendResult, EventLog, ExpectedRevision } from '../event-log/port.ts';
import { encode, upcast } from '../events/codec.ts';
import type { EventMetadata, NewEvent } from '../events/recorded-event.ts';
import { createTurns } from '../resilience/in-turn.ts';
import type { Aggregate } from './aggregate.ts';
import { commandHash } from './canonical-json.ts';
import { type Remembered, remembered, type RememberedCommands } from './command-memory.ts';
import { emptyStream, type FoldedStream, foldEvent, readOn } from './folded-stream.ts';
import { createSnapshots, type SnapshotOptions } from './snapshots.ts';
import { createStreamCache, type StreamCache } from './stream-cache.ts';

const TRIES = 10;
const MAX_PAUSE_MS = 40;
/** A stream that has no more is read at once, and nobody looks for a snapshot of it. */
const FIRST_EVENTS = 100;

/** A command's context, as handlers pass it on from step to step of a larger command. */
export type HandlingContext = CommandContext & {
  /** Stands in for the hash of the command's own words where it is a step of a larger command. */
  readonly commandHash?: string;
  /** `commandId` was made up just now: nobody can have sent it before. */
  readonly firstTime?: boolean;
};

export type Loaded<State> = {
  readonly stream: string;
  readonly state: State;
  /** -1: the stream does not exist. */
  readonly revision: number;
  /** What the commands that had changed the stream by then led to, by command id: those of the window, and its creation. */
  readonly commands: RememberedCommands;
};

export type Handler<State, Data extends Record<string, unknown>> = {
  /**
   * Decides one command and appends what follows. The same command id answers the same without deciding again.
   * @throws CommandRefused; RevisionConflict when others were first time after time; OutcomeUnknown when the log is silent
   */
  handle<Type extends keyof Data & string>(
    id: string,
    command: { readonly type: Type; readonly data: Data[Type] },
    context: HandlingContext,
  ): Promise<CommandAnswer>;
  /** The aggregate as the log has it now. */
  load(id: string): Promise<Loaded<State>>;
};

export type HandlerOptions = {
  /** Of folded streams; may be shared with handlers of other aggregates. Default: one of its own. */
  readonly cache?: StreamCache;
  /** Spares reading long streams whole, where the aggregate's fold has a form for it; default: none are kept. */
  readonly snapshots?: SnapshotOptions;
  /** Milliseconds since 1970, by which commands are remembered; default: this process's clock. */
  readonly now?: () => number;
};

/** Command handling for one aggregate: cache, idempotency, expected revision, deciding again. The log alone is the truth. */
export function createHandler<State, Event extends DomainEvent, Data extends Record<string, unknown>>(
  log: EventLog,
  aggregate: Aggregate<State, Event, Data>,
  { cache = createStreamCache(), snapshots: snapshotOptions, now = Date.now }: HandlerOptions = {},
): Handler<State, Data> {
  const inTurn = createTurns();
  const snapshots =
    snapshotOptions === undefined || aggregate.snapshot === undefined
      ? null
      : createSnapshots(log, aggregate, aggregate.snapshot, snapshotOptions, now);

  const cached = (stream: string): FoldedStream<State> => {
    // Streams of one type are folded by one handler.
    const known = cache.get(stream) as FoldedStream<State> | undefined;
    if (known !== undefined) return known;
    const unread = emptyStream(stream, aggregate.initial);
    cache.keep(unread);
    return unread;
  };
  /** After an answer: what has grown is measured, and kept if it has grown much. */
  const answered = (folded: FoldedStream<State>): void => {
    if (cache.get(folded.stream) === folded) cache.keep(folded);
    snapshots?.keep(folded);
  };

  /** Whatever fails while folding leaves no half-folded state behind. */
  const fold = async (folded: FoldedStream<State>, work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      cache.forget(folded.stream);
      throw error;
    }
  };
  const refresh = (folded: FoldedStream<State>, reaches = -1) =>
    fold(folded, async () => {
      const isUnread = snapshots !== null && folded.revision < 0;
      if (isUnread && (await readFirst(folded, snapshots)) && folded.revision >= reaches) return;
      await readOn(log, folded, aggregate.evolve, now(), reaches);
    });

  /** The beginning of a stream, which is mostly all of it; of a long one the rest, where a snapshot helps. True: up to its end. */
  async function readFirst(folded: FoldedStream<State>, { resume }: NonNullable<typeof snapshots>): Promise<boolean> {
    let seen = 0;
    for await (const event of log.readStream(folded.stream, { limit: FIRST_EVENTS })) {
      foldEvent(folded, aggregate.evolve, upcast(event), now());
      seen++;
    }
    return seen < FIRST_EVENTS || resume(folded);
  }

  const answer = (id: string, stream: string, revision: number): CommandAnswer => ({
    id,
    stream,
    revision,
    token: revision < 0 ? '' : `${stream}@${revision}`,
    details: {},
  });

  async function decideAndAppend<Type extends keyof Data & string>(
    folded: FoldedStream<State>,
    id: string,
    command: { readonly type: Type; readonly data: Data[Type] },
    context: HandlingContext,
  ): Promise<CommandAnswer> {
    const { expectedRevision, actor } = context;
    const { stream } = folded;
    const metadata = metadataOf(context, context.commandHash ?? commandHash({ ...command, target: id }));
    /** What this command led to before. */
    const earlier = () => recall(remembered(folded.commands, Infinity, now), metadata.commandId, metadata.commandHash);
    const repeatable = context.commandId !== undefined && context.firstTime !== true;

    /** A refusal, or nothing to do, is only final when the stream was read to its end first. */
    let current = false;
    const look = async (reaches?: number) => {
      await refresh(folded, reaches);
      current = true;
    };

    for (let attempt = 1; ;) {
      const before = earlier();
      if (before !== undefined) return answer(id, stream, before.revision);
      const { state, revision } = folded;

      if (expectedRevision !== undefined && expectedRevision !== revision) {
        if (current) return refuseRevision(stream, expectedRevision, revision);
        await look();
        continue;
      }

      let events: readonly Event[];
      try {
        events = aggregate.decisions[command.type](command.data, state, { id, actor });
      } catch (error) {
        if (current || !(error instanceof CommandRefused)) throw error;
        await look();
        continue;
      }
      if (events.length === 0) {
        if (current) return answer(id, stream, revision);
        await look();
        continue;
      }

      const encoded = encode(stream, events, metadata, revision + 1);
      try {
        const appended = await appendCertainly(log, stream, encoded, revision < 0 ? 'none' : revision);
        if (repeatable) {
          // Another process may have written these ids before us, for another body: what the log has says which.
          await refresh(folded, appended.revision);
          earlier();
        } else {
          const first = appended.revision - encoded.length + 1;
          const recordedAt = new Date(now());
          await fold(folded, () =>
            encoded.forEach((event, index) =>
              foldEvent(folded, aggregate.evolve, { ...event, recordedAt, revision: first + index }, now()),
            ),
          );
        }
        return answer(id, stream, appended.revision);
      } catch (error) {
        if (error instanceof AppendTooLarge) return refuse('too-large', error.message);
        if (error instanceof InvalidAppend) return refuse('invalid-command', error.message);
        if (!(error instanceof RevisionConflict) || attempt++ === TRIES) throw error;
        if (attempt > 2) await pause(Math.random() * MAX_PAUSE_MS);
        await look(error.actual === 'none' ? -1 : error.actual);
      }
    }
  }

  return {
    handle: (id, command, context) =>
      inTurn(id, async () => {
        const folded = cached(streamName(aggregate.type, id));
        try {
          return await decideAndAppend(folded, id, command, context);
        } finally {
          answered(folded);
        }
      }),
    load: async (id) => {
      const folded = cached(streamName(aggregate.type, id));
      const { stream } = folded;
      await refresh(folded);
      answered(folded);
      const { state, revision, commands } = folded;
      return { stream, state, revision, commands: remembered(commands, revision, now) };
    },
  };
}

const metadataOf = (context: HandlingContext, hash: string): EventMetadata => ({
  correlationId: context.correlationId,
  causationId: context.causationId ?? null,
  commandId: context.commandId ?? newId(),
  commandHash: hash,
  actor: context.actor,
  traceparent: context.traceparent ?? null,
});

/** What this command led to before, if it was here. @throws CommandRefused when its id stood for something else then */
export function recall(commands: RememberedCommands, commandId: string, hash: string): Remembered | undefined {
  const before = commands.get(commandId);
  if (before !== undefined && before.hash !== hash)
    refuse('idempotency-key-reused', 'this idempotency key was used for another request: use a new one', { commandId });
  return before;
}

/** For commands of several streams: before their first step. @throws CommandRefused when If-Match names another revision */
export function checkRevision(
  { stream, revision }: Pick<Loaded<unknown>, 'stream' | 'revision'>,
  { expectedRevision }: Pick<CommandContext, 'expectedRevision'>,
): void {
  if (expectedRevision !== undefined && expectedRevision !== revision)
    refuseRevision(stream, expectedRevision, revision);
}

function refuseRevision(stream: string, expected: number, current: number): never {
  const where = current < 0 ? 'does not exist' : `is at revision ${current}`;
  return refuse('revision-mismatch', `${stream} ${where}: If-Match names revision ${expected}, read it again`, {
    expected,
    current,
  });
}

const APPEND_TRIES = 6;
const FIRST_PAUSE_MS = 50;
/** A log that was silent for longer is not asked again: it has a patience of its own, and somebody waits for the answer. */
const PATIENCE_MS = 3_000;

/**
 * Appends, and settles a lost answer by appending the same ids again under the same expected revision, with growing pauses.
 * @throws OutcomeUnknown when the log stays silent; RevisionConflict, InvalidAppend, AppendTooLarge as the log does
 */
async function appendCertainly(
  log: EventLog,
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): Promise<AppendResult> {
  const begunAt = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await log.append(stream, events, expected);
    } catch (error) {
      const isPatient = attempt < APPEND_TRIES && performance.now() - begunAt < PATIENCE_MS;
      if (!(error instanceof OutcomeUnknown) || !isPatient) throw error;
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}
