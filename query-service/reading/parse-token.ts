import { Problem } from '@workledger/shared/http/problem.ts';
import { parseStream, streamType } from '@workledger/shared/contexts/stream.ts';

/** A revision of a stream that a reader wants to see. Revision -1: nothing. */
export type Wanted = { readonly stream: string; readonly type: string; readonly revision: number };

const MAX_ENTRIES = 50;

/** Reads a consistency token: `<stream>@<revision>`, several separated by commas. @throws Problem `invalid-request` */
export function parseToken(token: string): Wanted[] {
  const entries = token.split(',').map((entry) => entry.trim());
  if (entries.length > MAX_ENTRIES) throw invalid(`at most ${MAX_ENTRIES} streams`);
  return entries.map((entry) => {
    const [, stream = '', revision = ''] = /^(.{1,200})@(-1|\d{1,9})$/.exec(entry) ?? [];
    try {
      parseStream(stream);
    } catch {
      throw invalid('use <stream>@<revision>, several separated by commas');
    }
    return { stream, type: streamType(stream), revision: Number(revision) };
  });
}

const invalid = (message: string): Problem =>
  new Problem('invalid-request', 'the consistency token cannot be read', { errors: [{ path: 'token', message }] });
