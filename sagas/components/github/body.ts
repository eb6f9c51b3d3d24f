import type { DiffStat, Metrics } from '@workledger/shared/contexts/values.ts';

/** What a pull request says of the work, beside the task's own words. */
export type Summary = {
  readonly taskId: string;
  readonly runId: string;
  readonly metricsBefore: Metrics | null;
  readonly metrics: Metrics | null;
  readonly costUsd: number | null;
  /** What was changed, with the first of the files. */
  readonly change?: (DiffStat & { readonly paths: readonly string[] }) | undefined;
  readonly tests: 'running' | 'passed' | 'failed' | null;
  /** An address where more is told. */
  readonly link: string | null;
  /** The issue that it settles. */
  readonly issue: number | null;
};

const TITLE_LENGTH = 200;
const DESCRIPTION_LENGTH = 20_000;
/** Of GitHub's 65,536 characters. */
const MOST = 60_000;

const END = '<!-- workledger:end -->';
const SECTION = /<!-- workledger:begin [^>]*-->[\s\S]*?<!-- workledger:end -->/;
const beginOf = ({ taskId, runId }: Pick<Summary, 'taskId' | 'runId'>): string =>
  `<!-- workledger:begin task=${taskId} run=${runId} -->`;

/** Whether a text has what this run, or any run of the task, wrote into it. */
export const isOfRun = (body: string | null, run: Pick<Summary, 'taskId' | 'runId'>): boolean =>
  body?.includes(beginOf(run)) ?? false;
export const isOfTask = (body: string | null, { taskId }: Pick<Summary, 'taskId'>): boolean =>
  body?.includes(`<!-- workledger:begin task=${taskId} `) ?? false;

/** Words of others: they call nobody, close nothing and are no mark of ours. */
export const quoted = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll('<!--', '<!\u200b--')
    .replaceAll(/@(?=[A-Za-z\d])/g, '@\u200b')
    .replaceAll(/#(?=\d)/g, '#\u200b')
    .replaceAll('\0', '');

export const titleOf = (title: string): string =>
  title.replaceAll(/\s+/g, ' ').trim().slice(0, TITLE_LENGTH).toWellFormed() || 'Work of Workledger';

/** Our part of a pull request's text. */
export function sectionOf(description: string, summary: Summary): string {
  const { costUsd, tests, link, issue, taskId } = summary;
  const facts = [
    tests === null ? null : `Tests: ${tests}`,
    costUsd === null ? null : `Cost: $${costUsd.toFixed(2)}`,
    `Task: ${link === null ? `\`${taskId}\`` : `[${taskId}](${link})`}`,
    issue === null ? null : `Closes #${issue}`,
  ].filter((fact) => fact !== null);
  const text = quoted(description.trim());
  const words = text.length > DESCRIPTION_LENGTH ? `${text.slice(0, DESCRIPTION_LENGTH).toWellFormed()}…` : text;
  const parts = [beginOf(summary), words, changeIn(summary), tableOf(summary), facts.join(' · '), END];
  return parts.filter((part) => part !== '').join('\n\n');
}

function changeIn({ change }: Summary): string {
  if (change === undefined) return '';
  const { files, insertions, deletions, paths } = change;
  const names = paths.map((path) => `\`${quoted(path).replaceAll(/[`\p{Cc}]/gu, ' ')}\``);
  const rest = files > paths.length ? [`${files - paths.length} more`] : [];
  const counts = `${files} ${files === 1 ? 'file' : 'files'} changed, +${insertions} −${deletions}`;
  return [counts, [...names, ...rest].join(', ')].filter((part) => part !== '').join(': ');
}

function tableOf({ metricsBefore, metrics }: Summary): string {
  const names = [...new Set([...Object.keys(metricsBefore ?? {}), ...Object.keys(metrics ?? {})])].slice(0, 50);
  if (names.length === 0) return '';
  const cell = (value: number | undefined): string => (value === undefined ? '–' : String(value));
  const rows = names.map((name) => {
    const shown = quoted(name).replaceAll(/[|\r\n]/g, ' ');
    return `| ${shown} | ${cell(metricsBefore?.[name])} | ${cell(metrics?.[name])} |`;
  });
  return ['| metric | before | after |', '| --- | --- | --- |', ...rows].join('\n');
}

/** A text with our part in place of our part of before; what people wrote around it stays. */
export function withSection(body: string | null, section: string): string {
  const before = plain(body ?? '');
  if (before === '') return section;
  const after = SECTION.test(before) ? before.replace(SECTION, () => section) : `${before}\n\n${section}`;
  return after.length > MOST ? section : after;
}

/** GitHub keeps line ends as they come, browsers send their own. */
export const plain = (body: string): string => body.replaceAll('\r\n', '\n').trim();
