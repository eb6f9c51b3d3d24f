import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import type { Json, JsonObject } from '@workledger/shared/contexts/sync/document/json.ts';
import { applyPatch, type Change } from '@workledger/shared/contexts/sync/document/patch.ts';

type Copy = { readonly version: number; readonly body: JsonObject };
type Frame = Readonly<Record<string, unknown>> & { readonly type: string };
export type Edit = { readonly patch: readonly object[]; readonly source?: string };
type Conflict = { readonly id: string; readonly outcome: string };

/** Milliseconds before a line that broke is opened again. */
const SHORTEST_REST = 100;
const LONGEST_REST = 1_000;

/** What happened to a client. */
export type Tally = {
  accepted: number;
  rejected: number;
  drops: number;
  /** Copies that were found to differ and taken anew. */
  repairs: number;
  /** Changes that were taken over into the copy. */
  changes: number;
  /** Proposals that were sent again under their ids. */
  resent: number;
};

export type DocumentClient = ReturnType<typeof openDocument>;

/**
 * Keeps a copy of a document in step over the WebSocket, and proposes changes of it. Lines break; what was proposed is then sent again
 * under its id until it is answered.
 */
export function openDocument(options: { readonly url: () => string; readonly key: string; readonly document: string }) {
  const { url, key, document } = options;
  const tally: Tally = { accepted: 0, rejected: 0, drops: 0, repairs: 0, changes: 0, resent: 0 };
  const pending = new Map<
    string,
    { readonly frame: object; readonly done: (answer: Frame) => void; wasSent: boolean }
  >();
  let copy: Copy | null = null;
  let line: WebSocket | null = null;
  let isOpen = false;
  /** The id of the proposal that is on its way; the others wait for its answer. */
  let underWay: string | null = null;
  let rest = SHORTEST_REST;
  let isOver = false;
  let onConflict: (conflict: Conflict) => void = () => undefined;

  const say = (frame: object): void => {
    if (line?.readyState === WebSocket.OPEN) line.send(JSON.stringify(frame));
  };
  const subscribe = (): void => {
    const from = copy === null ? {} : { fromVersion: copy.version, digest: digestOf(copy.body) };
    say({ type: 'subscribe', document, ...from });
  };

  function connect(): void {
    if (isOver) return;
    isOpen = false;
    underWay = null;
    line = new WebSocket(url().replace('http', 'ws'), {
      headers: { Authorization: `Bearer ${key}` },
      handshakeTimeout: 10_000,
    });
    line.on('message', (bytes) => hear(JSON.parse((bytes as Buffer).toString()) as Frame));
    line.on('error', () => undefined);
    line.once('close', () => {
      if (isOpen) tally.drops++;
      rest = isOpen ? SHORTEST_REST : Math.min(2 * rest, LONGEST_REST);
      setTimeout(connect, rest * (0.5 + Math.random()));
    });
  }

  function hear(frame: Frame): void {
    switch (frame.type) {
      case 'hello':
        return subscribe();
      case 'subscribed':
        isOpen = true;
        return next();
      case 'snapshot':
        if (frame['reason'] !== 'new') tally.repairs++;
        copy = { version: frame['version'] as number, body: frame['body'] as JsonObject };
        return;
      case 'change':
        return take(frame as unknown as { version: number; patch: Change[]; digest: string; conflicts?: Conflict[] });
      case 'accepted':
      case 'rejected': {
        const asked = pending.get(String(frame['id']));
        pending.delete(String(frame['id']));
        tally[frame.type]++;
        asked?.done(frame);
        underWay = null;
        return next();
      }
      case 'problem':
        if (frame['of'] === 'subscribe') setTimeout(subscribe, 4 * SHORTEST_REST);
        if (frame['id'] === underWay) setTimeout(() => ((underWay = null), next()), 4 * SHORTEST_REST);
    }
  }

  function take({
    version,
    patch,
    digest,
    conflicts = [],
  }: {
    version: number;
    patch: Change[];
    digest: string;
    conflicts?: Conflict[];
  }) {
    if (copy === null || version !== copy.version + 1) return void (version > (copy?.version ?? -1) && subscribe());
    let body: Json;
    try {
      body = applyPatch(copy.body, patch);
    } catch {
      return subscribe();
    }
    // The copy is not what it should be: whoever says so is given the whole.
    if (digestOf(body) !== digest) return subscribe();
    copy = { version, body: body as JsonObject };
    tally.changes++;
    for (const conflict of conflicts) if (conflict.outcome === 'open') onConflict(conflict);
  }

  function next(): void {
    const [oldest] = pending;
    if (!isOpen || underWay !== null || oldest === undefined) return;
    const [id, asked] = oldest;
    underWay = id;
    if (asked.wasSent) tally.resent++;
    asked.wasSent = true;
    say(asked.frame);
  }

  const ask = (frame: object): Promise<Frame> =>
    new Promise((done) => {
      const id = randomUUID();
      const asked = { ...frame, id, document };
      pending.set(id, { frame: asked, done, wasSent: false });
      next();
    });

  connect();
  return {
    tally,
    copy: () => copy,
    pending: () => pending.size,
    isOpen: () => isOpen,
    /** Proposes a change of the copy as it is. */
    propose: (edit: Edit): Promise<Frame> => ask({ type: 'propose', base: copy?.version ?? 0, ...edit }),
    resolve: (conflict: string, choose: 'current' | 'proposed'): Promise<Frame> =>
      ask({ type: 'resolve', conflict, choose }),
    whenInConflict: (hearing: (conflict: Conflict) => void): void => void (onConflict = hearing),
    /** Breaks the line. */
    drop: (): void => line?.terminate(),
    /** Changes the copy behind its back. */
    spoil: (): void => {
      if (copy !== null) copy = { ...copy, body: { ...copy.body, spoiled: true } };
    },
    /** Subscribes again, as one does who wants to know whether the copy is right. */
    verify: subscribe,
    close: (): void => {
      isOver = true;
      line?.close();
    },
  };
}
