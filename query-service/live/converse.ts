import type { WebSocket } from 'ws';
import type { z } from 'zod';
import { Problem, problemDocument, toProblem } from '@workledger/shared/http/problem.ts';
import { writeLiveCursor } from './cursor.ts';
import type { Frame } from './feed.ts';
import type { Hub } from './hub.ts';
import type { Listener } from './listener.ts';

/** Bad frames that are answered before the line is closed. */
const MOST_FAULTS = 10;
/** Milliseconds for the last words to one who may not read. */
const LAST_WORDS = 3_000;

type Asked = { readonly type: string; readonly id?: string | number | undefined };
export type Say = (told: object) => Promise<void>;

/** What is spoken on a line. */
export type Language<Told extends Asked> = {
  readonly frame: z.ZodType<Told>;
  /** @throws Problem, which is told under the frame's id */
  obey(asked: Told, say: Say): Promise<void>;
  /** What is told of news, in frames of this language. */
  news(frame: Frame, say: Say): Promise<void>;
  /** The cursor to go on from, as whoever listens acknowledged it; default: what was written out. */
  acknowledged?(): string | null;
};

/** One line: JSON frames both ways, at most so many, until one of both sides ends it. */
export function converse<Told extends Asked>(
  hub: Hub,
  listener: Listener,
  line: WebSocket,
  { frame, obey, news, acknowledged }: Language<Told>,
): void {
  const over = new AbortController();
  let faults = 0;
  line.once('close', () => {
    over.abort();
    hub.leave(listener);
  });
  line.on('error', () => line.terminate());
  const say: Say = (told) =>
    new Promise((resolve) =>
      line.readyState === line.OPEN ? line.send(JSON.stringify(told), () => resolve()) : resolve(),
    );
  const complain = (of: string | null, about: { readonly id?: unknown }, problem: Problem): void => {
    void say({ type: 'problem', of, ...about, problem: problemDocument(problem) });
    if (++faults >= MOST_FAULTS) listener.close('too-many-faults');
  };
  const read = (text: string): Told | null => {
    try {
      return frame.safeParse(JSON.parse(text)).data ?? null;
    } catch {
      return null;
    }
  };

  line.on('message', (bytes, isBinary) => {
    if (!hub.bounds.takes(listener.principal.keyId)) return listener.close('too-many-frames', true);
    const asked = isBinary ? null : read((bytes as Buffer).toString());
    if (asked === null) return complain(null, {}, new Problem('invalid-request', 'use a JSON frame of a known type'));
    obey(asked, say).catch((error: unknown) => complain(asked.type, idOf(asked), toProblem(error)));
  });

  void (async () => {
    const { actor } = listener.principal;
    await say({ type: 'hello', actor, cursor: writeLiveCursor(hub.position()), heartbeatMs: hub.heartbeat });
    for (let item = await listener.next(over.signal); item !== null; item = await listener.next(over.signal)) {
      if (item.kind === 'frame' && !(await hub.mayHear(listener))) continue;
      if (item.kind === 'frame') {
        await news(item.frame, say);
        listener.wrote(item.frame.position);
        continue;
      }
      const heard = writeLiveCursor(hub.heard(listener));
      if (item.kind === 'beat') {
        await say({ type: 'alive', cursor: heard });
        continue;
      }
      const { reason } = item;
      const patience = setTimeout(() => line.terminate(), LAST_WORDS);
      line.once('close', () => clearTimeout(patience));
      void say({ type: 'closing', reason, cursor: acknowledged?.() ?? heard });
      return line.close(reason === 'shutdown' ? 1001 : 1008, reason);
    }
  })();
}

export const idOf = ({ id }: Asked): { readonly id?: string | number } => (id === undefined ? {} : { id });
