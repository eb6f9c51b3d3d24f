import { z } from 'zod';
import { documentCommands } from '@workledger/shared/contexts/sync/document/commands.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { catchUp, changeOf, readDocument, type DocumentChange } from '../reading/document.ts';
import { anyId } from '../reading/query-route.ts';
import { idOf, type Language, type Say } from './converse.ts';
import type { SendCommand } from './forward.ts';
import type { Hub } from './hub.ts';
import type { Listener } from './listener.ts';

export const SYNC = '/api/v1/collaborative/sync';

/** Under which a proposal takes effect once, on whatever line it comes: the Idempotency-Key of its command. */
const id = z.string().regex(/^[\x21-\x7e]{1,200}$/, '1 to 200 visible ASCII characters');
const anyFrameId = z.union([z.string().max(100), z.int()]).optional();
const proposal = documentCommands['document.propose'].data;
const resolution = documentCommands['document.resolve'].data;

/** What whoever keeps copies may say. */
export const syncFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    id: anyFrameId,
    document: anyId,
    fromVersion: z.int().min(0).max(999_999_999).optional().describe('of the copy; left out: there is none yet'),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('of the copy: one that drifted gets the whole'),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), id: anyFrameId, document: anyId }),
  proposal.extend({ type: z.literal('propose'), id, document: anyId }),
  resolution.extend({ type: z.literal('resolve'), id, document: anyId }),
]);
type SyncFrame = z.infer<typeof syncFrame>;

/** Proposals of one line that wait for their answers. */
const MOST_WAITING = 8;

type Followed = {
  /** The version that is told next. */
  next: number;
  /** It has been brought up to date. */
  ready: Promise<void>;
};

/**
 * Documents in step: each version of a document that is followed comes once and in order, from where the copy is; proposals go to
 * command-service under the caller's own key.
 */
export function syncTalk({
  hub,
  log,
  listener,
  send,
}: {
  readonly hub: Hub;
  readonly log: EventLog;
  readonly listener: Listener;
  readonly send: SendCommand;
}): Language<SyncFrame> {
  const followed = new Map<string, Followed>();
  let waiting = 0;

  async function follow({ document, fromVersion, digest, ...asked }: Asked<'subscribe'>, say: Say): Promise<void> {
    // Whoever subscribes again wants to be repaired.
    hub.unsubscribe(listener, feedOf(document));
    let isReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => (isReady = resolve));
    const place: Followed = { next: Infinity, ready };
    followed.set(document, place);
    try {
      // First the news, which wait; then what came before them, as the log has it.
      await hub.subscribe(listener, [feedOf(document)], null);
      const copy = fromVersion === undefined ? null : { version: fromVersion, digest: digest ?? null };
      const found = await catchUp(log, document, copy);
      if (found === null) throw new Problem('not-found', `there is no document ${document}`);
      if (found.kind === 'whole') await say({ type: 'snapshot', document, reason: found.reason, ...found.whole });
      else for (const change of found.changes) await say({ type: 'change', document, ...change });
      const version = found.kind === 'whole' ? found.whole.version : found.version;
      place.next = version + 1;
      await say({ type: 'subscribed', ...idOf(asked), document, version });
    } catch (error) {
      if (followed.get(document) === place) leave(document);
      throw error;
    } finally {
      isReady();
    }
  }

  function leave(document: string): void {
    followed.delete(document);
    hub.unsubscribe(listener, feedOf(document));
  }

  async function tell(document: string, change: DocumentChange, say: Say): Promise<void> {
    const place = followed.get(document);
    await place?.ready;
    if (place === undefined || followed.get(document) !== place || change.version < place.next) return;
    // What the hub could not read, or was not told of, is read from the log: no version is left out.
    if (change.version > place.next)
      for await (const event of readDocument(log, document, { from: place.next, limit: change.version - place.next }))
        await say({ type: 'change', document, ...changeOf(event) });
    place.next = change.version + 1;
    await say({ type: 'change', document, ...change });
    if (change.kind === 'deleted') leave(document);
  }

  async function ask(asked: Asked<'propose' | 'resolve'>, say: Say): Promise<void> {
    if (waiting >= MOST_WAITING) throw new Problem('unavailable', 'wait for the answers of earlier proposals');
    waiting++;
    try {
      const { status, body } = await send({ ...requestOf(asked), authorization: listener.authorization });
      const about = { id: asked.id, document: asked.document };
      if (status >= 500) await say({ type: 'problem', of: asked.type, ...about, problem: body });
      else if (status >= 400) await say({ type: 'rejected', ...about, problem: body });
      else await say({ ...about, ...answerOf(body as Settled) });
    } finally {
      waiting--;
    }
  }

  return {
    frame: syncFrame,
    news: async ({ data }, say) => {
      const { document, ...change } = JSON.parse(data) as DocumentChange & { readonly document: string };
      await tell(document, change, say);
    },
    obey: async (asked, say) => {
      switch (asked.type) {
        case 'subscribe':
          return follow(asked, say);
        case 'unsubscribe':
          leave(asked.document);
          return say({ type: 'unsubscribed', ...idOf(asked), document: asked.document });
        default:
          return ask(asked, say);
      }
    },
  };
}

type Asked<Type extends SyncFrame['type']> = Extract<SyncFrame, { type: Type }>;
type Settled = {
  readonly version: number;
  readonly digest: string;
  readonly outcome?: string;
  readonly conflicts?: unknown;
};

const feedOf = (document: string): string => `document:${document}`;

function requestOf(asked: Asked<'propose' | 'resolve'>) {
  const headers = { 'idempotency-key': asked.id };
  const path = `/api/v1/documents/${asked.document}`;
  if (asked.type === 'propose') {
    const { type: _, id: __, document: ___, ...body } = asked;
    return { method: 'PATCH', path, headers, body };
  }
  const { choose, conflict, value } = asked;
  return { method: 'POST', path: `${path}/conflicts/${conflict}/resolve`, headers, body: { choose, value } };
}

function answerOf({ version, digest, outcome = 'applied', conflicts = [] }: Settled) {
  const type = outcome === 'rejected' ? 'rejected' : 'accepted';
  return { type, version, digest, outcome, conflicts };
}
