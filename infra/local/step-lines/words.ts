import type { DiffStat, Failure, Metrics } from '@workledger/shared/contexts/values.ts';

export const shortId = (id: string): string => id.slice(0, 8);

export const seconds = (milliseconds: number): string => `(${(milliseconds / 1000).toFixed(1)} s)`;

export const dollars = (cost: number | null): string => (cost === null ? 'unknown' : `$${cost.toFixed(2)}`);

export const diffStat = ({ files, insertions, deletions }: DiffStat): string =>
  `${files} ${files === 1 ? 'file' : 'files'} +${insertions} −${deletions}`;

export const metricsText = (metrics: Metrics): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name}=${Number.isInteger(value) ? value : value.toPrecision(4)}`)
    .join(' ');

/** What ran, how it ended, its last words, and where the rest is. */
export const failureLines = ({ command, exitCode, lastLines, log }: Failure): string[] => [
  ...(command === null ? [] : [`command: ${command.join(' ')} (exit code ${exitCode ?? 'none'})`]),
  ...lastLines.map((line) => `| ${line}`),
  ...(log === null ? [] : [`whole log: artefact ${log.digest}`]),
];
