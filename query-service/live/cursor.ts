import { z } from 'zod';
import { decoded, encoded, invalidCursor } from '../reading/page.ts';

const held = z.strictObject({ live: z.string().regex(/^\d{1,19}$/) });

/** Where one stopped: a place in the log, the same in every process and after every start. */
export const writeLiveCursor = (position: bigint): string => encoded({ live: String(position) });

/** @throws Problem `unknown-cursor` */
export function readLiveCursor(text: string): bigint {
  const parsed = held.safeParse(decoded(text));
  if (!parsed.success) throw invalidCursor('use a cursor as this channel gave it');
  return BigInt(parsed.data.live);
}
