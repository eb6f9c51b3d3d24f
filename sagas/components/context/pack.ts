import type { CodeIndex, IndexedFile } from './code-index.ts';
import type { Question } from './by-words.ts';
import { isSecretFile, withoutSecrets } from './redact.ts';
import type { Ranked } from './rank.ts';
import { summaryOf } from './summary.ts';
import type { CountTokens } from './tokens.ts';
import { partsOf } from './words.ts';

/** What an agent is told of the code. */
export type Packed = {
  readonly text: string;
  readonly tokens: number;
  /** Of which something is shown, the most telling first. */
  readonly files: readonly string[];
};

export type PackOptions = {
  /** The most that may come out. */
  readonly tokens: number;
  readonly count: CountTokens;
  /** Contents of files by their place, as far as they are at hand. */
  readonly contents: ReadonlyMap<number, string>;
};

/** Of the whole: for the summary, and for the paths that are named at the end. */
const SUMMARY = 0.15;
const ALSO = 0.06;
/** Of what is left: for one file. */
const FILE = 0.3;
/** Tokens; less of a file than this tells nothing. */
const LEAST = 24;
const MOST_ALSO = 20;
const LONGEST_EXCERPT = 40;

/** Brings the summary and the files that matter into so many tokens, and never more; without secrets. */
export function pack(question: Question, index: CodeIndex, ranked: readonly Ranked[], options: PackOptions): Packed {
  const { tokens, contents } = options;
  const count: CountTokens = (text) => (text === '' ? 0 : options.count(text) + 1);
  const intro = 'Chosen by what is asked, from the commit that you begin with. It may miss something: look yourself.';
  const pieces: { text: string; path?: string }[] = [];
  let left = tokens;
  const take = (text: string, path?: string): boolean => {
    const cost = count(text);
    if (cost > left) return false;
    left -= cost;
    pieces.push({ text, ...(path !== undefined && { path }) });
    return true;
  };
  take(intro);
  take(fitting(summaryOf(index), Math.min(left, tokens * SUMMARY), count));
  const also: string[] = [];
  const reserved = Math.floor(tokens * ALSO);
  for (const { place } of ranked) {
    const file = index.files[place];
    if (file === undefined) continue;
    const room = Math.floor((left - reserved) * FILE);
    const shown = room < LEAST ? null : fileText(file, contents.get(place), question, room, count);
    if (shown === null || !take(shown, file.path)) also.push(file.path);
    if (also.length >= MOST_ALSO) break;
  }
  const line = fitting(
    also.map((path, at) => (at === 0 ? `Perhaps also:\n- ${path}` : `- ${path}`)),
    left,
    count,
  );
  if (line !== '') take(line);
  // Pieces are counted one by one; together they may come to a little more.
  for (;;) {
    const kept = pieces.filter(({ text }) => text !== '');
    const text = kept.map((piece) => piece.text).join('\n\n');
    const total = text === '' ? 0 : options.count(text);
    if (total <= tokens) return { text, tokens: total, files: kept.flatMap(({ path }) => path ?? []) };
    pieces.pop();
  }
}

/** The first lines that fit, each counted by itself. */
function fitting(lines: readonly string[], room: number, count: CountTokens): string {
  let left = room;
  const end = lines.findIndex((line) => (left -= count(line)) < 0);
  return lines.slice(0, end === -1 ? lines.length : end).join('\n');
}

/** As much of a file as fits: all of it, or what it defines with the most telling parts. Null: nothing does. */
function fileText(
  file: IndexedFile,
  content: string | undefined,
  question: Question,
  room: number,
  count: CountTokens,
): string | null {
  const title = `### ${file.path}`;
  if (isSecretFile(file.path)) return null;
  const clean = content === undefined ? null : withoutSecrets(content);
  // A character is a third of a token at most, or nearly: what is far too long need not be counted.
  if (clean !== null && clean.length < 8 * room) {
    const whole = `${title}\n${fenced(clean.trimEnd())}`;
    if (count(whole) <= room) return whole;
  }
  const definitions = file.facts?.definitions ?? [];
  const outline = definitions.map(({ line, signature }) => `${line}: ${withoutSecrets(signature)}`);
  if (outline.length === 0 && clean === null) return null;
  const half = fitting(outline, room * (clean === null ? 1 : 0.5), count);
  let text = half === '' ? title : `${title}\n${fenced(half)}`;
  const lines = clean === null ? [] : clean.split('\n');
  const parts = definitions.length === 0 ? [{ line: 1, end: lines.length }] : byRelevance(file, question, lines);
  for (const { line, end } of parts) {
    const excerpt = lines.slice(line - 1, Math.min(end, line - 1 + LONGEST_EXCERPT));
    if (excerpt.length < 2) continue;
    const longer = `${text}\nFrom line ${line}:\n${fenced(excerpt.join('\n'))}`;
    if (count(longer) <= room) text = longer;
  }
  return text === title || count(text) > room ? null : text;
}

/** Definitions that speak of what is asked, those that do so the most first. */
function byRelevance({ facts }: IndexedFile, { words }: Question, lines: readonly string[]) {
  const scored = (facts?.definitions ?? []).map((definition) => {
    const body = lines.slice(definition.line - 1, Math.min(definition.end, definition.line - 1 + LONGEST_EXCERPT));
    const told = new Set(
      body.flatMap((line) => line.match(/[A-Za-z]\w*/g) ?? []).flatMap((word) => [...partsOf(word)]),
    );
    const inBody = [...words.keys()].filter((word) => told.has(word)).length;
    const inName = partsOf(definition.name).filter((word) => words.has(word)).length;
    return { ...definition, score: inBody + 3 * inName };
  });
  return scored.filter(({ score }) => score > 0).sort((one, other) => other.score - one.score || one.line - other.line);
}

/** Between marks that do not stand in it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
