import type { IssuesPayload } from './payload.ts';

type Issue = IssuesPayload['issue'];

const MAX_TITLE = 300;
const MAX_DESCRIPTION = 65_536;
const MAX_LABELS = 50;
const MAX_LABEL = 100;
const CUT_NOTE = '\n\n[cut here: the issue is longer]';

/** A task needs a title; an issue may have an empty one. */
export const titleOf = ({ title, number }: Issue): string =>
  title.trim() === '' ? `Issue #${number}` : cut(title, MAX_TITLE);

/** The issue's text as a task may hold it, with a note where it had to be cut. */
export function descriptionOf({ body }: Issue): string {
  const text = body ?? '';
  return text.length <= MAX_DESCRIPTION ? text : cut(text, MAX_DESCRIPTION - CUT_NOTE.length) + CUT_NOTE;
}

export const labelsOf = ({ labels }: Issue): string[] =>
  (labels ?? [])
    .map((label) => label.name)
    .filter((name) => name.length > 0 && name.length <= MAX_LABEL)
    .slice(0, MAX_LABELS);

/** Cuts to so many UTF-16 units, never in the middle of a character. */
const cut = (text: string, length: number): string => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
