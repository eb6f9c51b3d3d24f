import { randomBytes } from 'node:crypto';

/** https://www.w3.org/TR/trace-context/#traceparent-header */
export type Traceparent = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the span that sent this. */
  readonly parentId: string;
  readonly sampled: boolean;
};

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads the header; null when it is absent or not valid. Versions from the future are read as far as version 00 goes. */
export function parseTraceparent(header: string | undefined): Traceparent | null {
  const [, version, traceId, parentId, flags, rest] = FORM.exec(header ?? '') ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined || flags === undefined) return null;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The first span of a new trace. */
export const newTraceparent = (): Traceparent => ({ traceId: hex(16), parentId: hex(8), sampled: true });

/** A new span of the same trace; a new trace where there is none. */
export const childTraceparent = (parent: Traceparent | null): Traceparent =>
  parent === null ? newTraceparent() : { ...parent, parentId: hex(8) };

export const formatTraceparent = ({ traceId, parentId, sampled }: Traceparent): string =>
  `00-${traceId}-${parentId}-${sampled ? '01' : '00'}`;

const POOL_BYTES = 4_096;
let pool = Buffer.alloc(0);

/** Random bytes are fetched in one go for many ids: a call for each would be felt in every request. */
function hex(bytes: number): string {
  if (pool.length < bytes) pool = randomBytes(POOL_BYTES);
  const text = pool.toString('hex', 0, bytes);
  pool = pool.subarray(bytes);
  return /^0+$/.test(text) ? hex(bytes) : text;
}
