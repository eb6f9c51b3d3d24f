import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { type Counts, type Finding, severities } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { maskText } from '@workledger/shared/telemetry/mask.ts';
import { harmless } from '@workledger/shared/telemetry/one-line.ts';
import type { Reported } from './report.ts';

const RULE_LENGTH = 200;
const MESSAGE_LENGTH = 1_000;
const PATH_LENGTH = 500;
const MOST_LINE = 10_000_000;

/** Reads a line of a file of the checkout; null: there is none such. */
export type LineOf = (path: string, line: number) => string | null;

/**
 * What a tool complains about, fit to be kept and shown: paths within the repository, words without secrets and without what steers a
 * terminal, worst first. Of a path that leads out of the repository nothing is kept.
 * @param root where the checkout was, absolute
 */
export function findingsOf(reported: readonly Reported[], root: string, lineOf: LineOf): Finding[] {
  const found = reported.map((one): Finding => {
    const path = one.path === null ? null : pathWithin(one.path, root);
    const line = one.line !== null && one.line >= 1 && one.line <= MOST_LINE && path !== null ? one.line : null;
    const rule = cut(one.rule, RULE_LENGTH) || 'unnamed';
    const known = one.identity ?? `${line === null ? one.message : (lineOf(path ?? '', line) ?? one.message)}`;
    const fingerprint = digest([one.rule, path ?? '', known.replaceAll(/\s+/g, ' ').trim()]);
    const message = cut(one.message, MESSAGE_LENGTH);
    return { severity: one.severity, rule, message, path, line, fingerprint, isNew: null };
  });
  return found.sort(
    (one, other) =>
      rankOf(one) - rankOf(other) ||
      compare(one.path ?? '', other.path ?? '') ||
      (one.line ?? 0) - (other.line ?? 0) ||
      compare(one.fingerprint, other.fingerprint),
  );
}

const rankOf = ({ severity }: Finding): number => severities.indexOf(severity);
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

const cut = (text: string, length: number): string =>
  harmless(
    maskText(text.slice(0, 4 * length))
      .replaceAll(/\s+/g, ' ')
      .replaceAll('\0', ''),
  )
    .slice(0, length)
    .trim()
    .toWellFormed();

/** As git names it; null: it is not in the repository. */
export function pathWithin(written: string, root: string): string | null {
  const path = asPath(written);
  if (path === null || path === '' || path.includes('\0')) return null;
  const relative = posix.isAbsolute(path) ? posix.relative(root, path) : posix.normalize(path);
  const isOutside = relative === '' || relative === '.' || relative === '..' || relative.startsWith('../');
  if (isOutside || relative.length > PATH_LENGTH || /(^|\/)\.git(\/|$)/.test(relative)) return null;
  return harmless(relative) === relative ? relative : null;
}

function asPath(written: string): string | null {
  if (/^[a-z][a-z0-9+.-]*:/i.test(written) && !written.startsWith('file://')) return null;
  if (!written.startsWith('file://') && !written.includes('%')) return written;
  try {
    return decodeURIComponent(written.replace(/^file:\/\/(localhost)?/, ''));
  } catch {
    return written.startsWith('file://') ? null : written;
  }
}

/** Marks what the base has not: as many of each fingerprint as there are more than on the base. */
export function markNew(findings: readonly Finding[], base: readonly string[]): Finding[] {
  const left = new Map<string, number>();
  for (const fingerprint of base) left.set(fingerprint, (left.get(fingerprint) ?? 0) + 1);
  return findings.map((one) => {
    const known = left.get(one.fingerprint) ?? 0;
    if (known > 0) left.set(one.fingerprint, known - 1);
    return { ...one, isNew: known === 0 };
  });
}

export const countsOf = (findings: readonly Finding[]): Counts => {
  const counts: Record<keyof Counts, number> = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
};

/** One line, as compilers write it. */
export const lineOfFinding = ({ path, line, severity, rule, message }: Finding): string =>
  `${path === null ? '' : `${path}${line === null ? '' : `:${line}`}: `}${severity}: ${message} [${rule}]`;
