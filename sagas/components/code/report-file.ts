import { constants } from 'node:fs';
import { open, realpath, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { pathWithin, type LineOf } from '../reports/findings.ts';
import { MOST_BYTES } from '../reports/read-report.ts';
import type { Reported } from '../reports/report.ts';

type Taken = { readonly bytes: Buffer } | { readonly problem: string };

/** What the work itself brought under the name of a report is none. */
export async function removeReport(root: string, path: string): Promise<void> {
  const place = await placeOf(root, path);
  if (place !== null) await rm(place, { recursive: true, force: true });
}

/** Reads the file that a check wrote: a regular one in the checkout itself, of bounded size. */
export const takeReport = async (root: string, path: string): Promise<Taken> =>
  readInside(root, path, MOST_BYTES, `no report at ${path}`);

/** A program may have made any part of the path a link to elsewhere: none is followed out of the checkout. */
async function placeOf(root: string, path: string): Promise<string | null> {
  const at = join(root, path);
  const folder = await realpath(dirname(at)).catch(() => null);
  const real = await realpath(root);
  return folder !== null && (folder === real || folder.startsWith(`${real}${sep}`)) ? at : null;
}

async function readInside(root: string, path: string, most: number, absent: string): Promise<Taken> {
  const place = await placeOf(root, path);
  if (place === null) return { problem: absent };
  // A pipe without a writer would let us wait for ever.
  const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return { problem: absent };
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return { problem: `${path} is no file` };
    if (stat.size > most) return { problem: `the report has ${stat.size} bytes: at most ${most} are read` };
    const bytes = Buffer.alloc(Number(stat.size));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return { bytes: bytes.subarray(0, bytesRead) };
  } finally {
    await file.close();
  }
}

const MOST_FILES = 500;
const MOST_FILE_BYTES = 2_000_000;

/** The lines that findings name, read before anything else changes them. */
export async function linesOf(root: string, reported: readonly Reported[]): Promise<LineOf> {
  const files = new Map<string, readonly string[]>();
  for (const { path, line, identity } of reported) {
    const within = path === null || line === null || identity !== undefined ? null : pathWithin(path, root);
    if (within === null || files.has(within) || files.size >= MOST_FILES) continue;
    const read = await readInside(root, within, MOST_FILE_BYTES, '');
    files.set(within, 'bytes' in read ? read.bytes.toString('utf8').split('\n') : []);
  }
  return (path, line) => files.get(path)?.[line - 1] ?? null;
}
