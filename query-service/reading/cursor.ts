import { z } from 'zod';
import { Problem } from '@workledger/shared/http/problem.ts';

/** Where a page ended: the order it was in, and the last row's place in it. */
export type Cursor = { readonly order: string; readonly value: string; readonly id: string };

const schema = z.strictObject({ order: z.string().max(100), value: z.string().max(300), id: z.string().max(300) });

export const writeCursor = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** Reads a cursor that a page of the same order gave. @throws Problem `invalid-request` */
export function readCursor(text: string, order: string): Cursor {
  const parsed = schema.safeParse(decoded(text));
  if (!parsed.success) throw invalid('use a cursor as a page gave it');
  if (parsed.data.order !== order) throw invalid(`it belongs to the order ${parsed.data.order}: start again`);
  return parsed.data;
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return null;
  }
}

const invalid = (message: string): Problem =>
  new Problem('invalid-request', 'the cursor cannot be used', { errors: [{ path: 'query.cursor', message }] });
