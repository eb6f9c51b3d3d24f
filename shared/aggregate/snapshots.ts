import { createHash } from 'node:crypto';
import type { DomainEvent, Fold, SnapshotForm } from '../contexts/define-events.ts';
import type { EventLog } from '../event-log/port.ts';
import { upcast } from '../events/codec.ts';
import { withDeadline } from '../resilience/with-deadline.ts';
import { type KeptMemory, readMemory, writeMemory } from './command-memory.ts';
import { foldEvent, type FoldedStream } from './folded-stream.ts';

/** A stream's state and remembered commands at a revision: a shortcut, never a truth. */
export type Snapshot = {
  readonly stream: string;
  /** Of the fold's form: what was kept under another one is not read. */
  readonly version: number;
  readonly revision: number;
  /** Of the event at that revision: a log that has another one there is another log. */
  readonly eventId: string;
  /** JSON of state and commands. */
  readonly body: string;
  /** SHA-256 (hex) of the body. */
  readonly digest: string;
};

/** Where snapshots are kept, one a stream. May lose or refuse any of them. */
export type SnapshotStore = {
  read(stream: string): Promise<Snapshot | null>;
  /** In place of the one before. */
  write(snapshot: Snapshot): Promise<void>;
};

export type SnapshotOptions = {
  readonly store: SnapshotStore;
  /** Told of the first failure of a row of them; the work goes on without. */
  readonly onFailed?: (error: unknown) => void;
  /** A snapshot is taken after so many events; default 500. */
  readonly every?: number;
};

const EVERY = 500;
/** A snapshot of so many characters more waits for one event more: what is written stays in proportion to what was appended. */
const CHARACTERS_AN_EVENT = 4_000;
/** A log is always there; who waits for a shortcut longer than this takes the long way. Milliseconds. */
const PATIENCE = 1_000;

/** Resumes and keeps the snapshots of one aggregate's streams. */
export function createSnapshots<State, Event extends DomainEvent>(
  log: EventLog,
  { evolve }: Fold<State, Event>,
  form: SnapshotForm<State>,
  { store, onFailed, every = EVERY }: SnapshotOptions,
  now: () => number,
) {
  const writing = new Set<string>();
  let isFailing = false;
  const failed = (error: unknown): void => {
    if (!isFailing) onFailed?.(error);
    isFailing = true;
  };

  /** What is kept of a stream, if it is whole and can be read. */
  async function find(stream: string) {
    try {
      const kept = await withDeadline(store.read(stream), PATIENCE, 'a snapshot');
      if (kept === null || kept.version !== form.version || digestOf(kept.body) !== kept.digest) return null;
      const { state, commands } = JSON.parse(kept.body) as { state: unknown; commands: KeptMemory };
      return { ...kept, state: form.read(state), commands: readMemory(commands) };
    } catch (error) {
      failed(error);
      return null;
    }
  }

  async function write(folded: FoldedStream<State>): Promise<void> {
    const { stream, revision, eventId, state, commands } = folded;
    try {
      const body = JSON.stringify({ state: form.write(state), commands: writeMemory(commands, now()) });
      folded.snapshot = { revision, length: body.length };
      await store.write({ stream, version: form.version, revision, eventId, body, digest: digestOf(body) });
      isFailing = false;
    } catch (error) {
      // Tried again when the stream has grown as much again.
      folded.snapshot = { revision, length: folded.snapshot.length };
      failed(error);
    } finally {
      writing.delete(stream);
    }
  }

  return {
    /**
     * Goes on from the stream's snapshot to the end of the log; false where none is of use, and nothing was read. One that is
     * ahead of the log, or of another log, is none.
     */
    async resume(folded: FoldedStream<State>): Promise<boolean> {
      const kept = await find(folded.stream);
      if (kept === null || kept.revision <= folded.revision) return false;
      let isOurs = false;
      for await (const event of log.readStream(folded.stream, { from: kept.revision })) {
        if (event.revision > kept.revision) foldEvent(folded, evolve, upcast(event), now());
        else if (event.id !== kept.eventId) return false;
        else {
          isOurs = true;
          if (folded.revision >= kept.revision) continue;
          const { state, revision, eventId, commands, body } = kept;
          Object.assign(folded, { state, revision, eventId, commands, snapshot: { revision, length: body.length } });
        }
      }
      return isOurs;
    },
    /** Takes a snapshot of a stream that has grown enough since the last, in nobody's way. */
    keep(folded: FoldedStream<State>): void {
      const { stream, snapshot } = folded;
      const enough = Math.max(every, snapshot.length / CHARACTERS_AN_EVENT);
      if (folded.revision - snapshot.revision < enough || writing.has(stream)) return;
      writing.add(stream);
      setImmediate(() => void write(folded));
    },
  };
}

const digestOf = (body: string): string => createHash('sha256').update(body).digest('hex');
