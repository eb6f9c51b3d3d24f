import { KEPT_EVERY, type DocumentEvent } from '@workledger/shared/contexts/sync/document/events.ts';
import type { JsonObject } from '@workledger/shared/contexts/sync/document/json.ts';
import type { Change } from '@workledger/shared/contexts/sync/document/patch.ts';
import { documentFold, type DocumentState } from '@workledger/shared/contexts/sync/document/state.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog, ReadStreamOptions } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

type OfDocument = RecordedEvent & DocumentEvent;

/** What one event made of a document, as whoever keeps a copy is told it. */
export type DocumentChange = ReturnType<typeof changeOf>;

/** Changes that are told one by one; whoever is further behind takes the whole. */
const MOST_CHANGES = 500;

export async function* readDocument(log: EventLog, id: string, options: ReadStreamOptions): AsyncGenerator<OfDocument> {
  for await (const event of log.readStream(streamName(documentFold.type, id), options))
    yield upcast(event) as OfDocument;
}

/** The first event and the last; null: there is no such document, or it is deleted. */
export async function endsOf(log: EventLog, id: string) {
  let last: OfDocument | null = null;
  for await (const event of readDocument(log, id, { direction: 'backward', limit: 1 })) last = event;
  if (last === null || last.type === 'DocumentDeleted') return null;
  for await (const first of readDocument(log, id, { limit: 1 }))
    if (first.type === 'DocumentCreated') return { repository: first.data.repository, version: last.revision };
  return null;
}

/** A document as it was at a version: at most a hundred events are read for it. Null: it has no such version. */
export async function documentAt(log: EventLog, id: string, version: number) {
  const from = version - (version % KEPT_EVERY);
  let state: DocumentState = { ...documentFold.initial, version: from - 1 };
  let at: Date | null = null;
  for await (const event of readDocument(log, id, { from, limit: version - from + 1 })) {
    state = documentFold.evolve(state, event);
    at = event.recordedAt;
  }
  if (at === null || state.version !== version || state.status === 'deleted') return null;
  return { version, digest: state.digest, at: at.toISOString(), body: state.body };
}

/** The digest of a version; null: there is no such version. */
export async function digestAt(log: EventLog, id: string, version: number): Promise<string | null> {
  for await (const event of readDocument(log, id, { from: version, limit: 1 })) return event.data.digest;
  return null;
}

const KINDS = {
  DocumentCreated: 'created',
  DocumentProposalSettled: 'proposal',
  DocumentConflictResolved: 'resolved',
  DocumentRulesChanged: 'rules',
  DocumentKept: 'kept',
  DocumentDeleted: 'deleted',
} as const;
export const CHANGE_KINDS = Object.values(KINDS);

/** An event as a patch on the version before it, and who made it. */
export function changeOf(event: OfDocument) {
  const { data, type } = event;
  const told = {
    version: event.revision,
    kind: KINDS[type],
    by: event.metadata.actor,
    at: event.recordedAt.toISOString(),
    digest: data.digest,
    patch: patchOf(event),
  };
  if (type === 'DocumentProposalSettled') {
    const { base, source, outcome, conflicts } = event.data;
    return { ...told, base, source, outcome, conflicts };
  }
  if (type === 'DocumentConflictResolved') return { ...told, conflict: event.data.conflict, choice: event.data.choice };
  return type === 'DocumentRulesChanged' ? { ...told, rules: event.data.rules } : told;
}

function patchOf({ type, data }: DocumentEvent): readonly Change[] {
  if (type === 'DocumentCreated') return [{ op: 'add', path: '', value: data.body as JsonObject }];
  return 'patch' in data ? (data.patch as Change[]) : [];
}

export type CatchUp =
  | { readonly kind: 'changes'; readonly changes: readonly DocumentChange[]; readonly version: number }
  | {
      readonly kind: 'whole';
      readonly reason: 'new' | 'drifted' | 'too-far-back';
      readonly whole: NonNullable<Awaited<ReturnType<typeof documentAt>>>;
    };

/**
 * What brings a copy up to date, or repairs it: the changes since where it is what the log has, else the whole. Null: there is no such document.
 * @param copy version and digest of the copy; null: there is none yet
 */
export async function catchUp(
  log: EventLog,
  id: string,
  copy: { readonly version: number; readonly digest: string | null } | null,
): Promise<CatchUp | null> {
  const ends = await endsOf(log, id);
  if (ends === null) return null;
  const { version } = ends;
  const reason = copy === null ? 'new' : await reasonForWhole(log, id, copy, version);
  if (reason !== null) {
    const whole = await documentAt(log, id, version);
    return whole === null ? null : { kind: 'whole', reason, whole };
  }
  const changes: DocumentChange[] = [];
  const from = (copy?.version ?? -1) + 1;
  for await (const event of readDocument(log, id, { from, limit: MOST_CHANGES })) changes.push(changeOf(event));
  return { kind: 'changes', changes, version: changes.at(-1)?.version ?? version };
}

async function reasonForWhole(
  log: EventLog,
  id: string,
  copy: { readonly version: number; readonly digest: string | null },
  version: number,
): Promise<'drifted' | 'too-far-back' | null> {
  if (copy.version > version) return 'drifted';
  if (copy.digest !== null && copy.digest !== (await digestAt(log, id, copy.version))) return 'drifted';
  return version - copy.version > MOST_CHANGES - BESIDE ? 'too-far-back' : null;
}
/** Room for those that come while it is read. */
const BESIDE = 100;
