import { z } from 'zod';
import { harmless } from '@workledger/shared/telemetry/one-line.ts';
import { maskText } from '@workledger/shared/telemetry/mask.ts';
import { newestNote, type Note, type TakeNote } from '../../engine/notes.ts';
import type { ProcessOptions } from '../process/enter-run.ts';
import type { CodeAttempt } from './code-component.ts';

/**
 * Reads an agent's notes from what it prints, as it comes: lines that begin with `::progress `, a percentage first if it likes, and what
 * its profile finds in a line of its standard output. The newest one is passed on, at most one a second, without secrets.
 * @param signal ends it
 */
export function agentNotes(
  { note, secrets }: Pick<CodeAttempt, 'note' | 'secrets'>,
  noteIn: NoteIn,
  signal: AbortSignal,
): ProcessOptions['onOutput'] {
  if (note === undefined) return undefined;
  const take = newestNote(async ({ text, percent }) => {
    note({ text: harmless(maskText(secrets.text(text))), percent });
  }, signal);
  return readNotes(noteIn, take);
}

/** Bytes of a line that is looked at: a longer one holds no note. */
const LONGEST_LINE = 65_536;
const NEW_LINE = 10;

type NoteIn = (line: string) => Note | null;

/** Reads notes line by line; a line is held as long as it may be one. */
export function readNotes(noteIn: NoteIn, take: TakeNote): NonNullable<ProcessOptions['onOutput']> {
  const lines = (from: 'stdout' | 'stderr') =>
    splitLines((line) => {
      const found = markedNote(line) ?? (from === 'stdout' ? noteIn(line) : null);
      if (found !== null) take(found);
    });
  const streams = { stdout: lines('stdout'), stderr: lines('stderr') };
  return (chunk, from) => streams[from](chunk);
}

/** Whole lines, none longer than one that may hold a note. */
export function splitLines(take: (line: string) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer): void => {
    length += part.length;
    if (length > LONGEST_LINE) parts = [];
    // A copy: what is left of a chunk must not hold all of it.
    else if (part.length > 0) parts.push(Buffer.from(part));
  };
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(NEW_LINE); end !== -1; end = chunk.indexOf(NEW_LINE, from)) {
      keep(chunk.subarray(from, end));
      if (length <= LONGEST_LINE) take(Buffer.concat(parts).toString('utf8'));
      parts = [];
      length = 0;
      from = end + 1;
    }
    keep(chunk.subarray(from));
  };
}

const MARK = '::progress ';
const PERCENT = /^(\d{1,3}(?:\.\d{1,3})?) ?%(?:\s+|$)/;

function markedNote(line: string): Note | null {
  if (!line.startsWith(MARK)) return null;
  const said = line.slice(MARK.length).trim();
  const [whole = '', number = ''] = PERCENT.exec(said) ?? [];
  const percent = whole === '' || Number(number) > 100 ? null : Number(number);
  const text = percent === null ? said : said.slice(whole.length).trim() || said;
  return text === '' ? null : { text, percent };
}

const said = z.looseObject({ type: z.string(), text: z.string().optional(), name: z.string().optional() });
const assistantLine = z.looseObject({
  type: z.literal('assistant'),
  message: z.looseObject({ content: z.array(said) }),
});

/** The last thing that it says in a line of `stream-json`, or does. */
export function claudeNote(line: string): Note | null {
  if (!line.startsWith('{') || !line.includes('"assistant"')) return null;
  const { success, data } = assistantLine.safeParse(parse(line));
  if (!success) return null;
  const notes = data.message.content.flatMap((part): Note[] => {
    const words = part.type === 'text' ? part.text : part.type === 'tool_use' ? part.name : undefined;
    const text = words?.trim().split('\n')[0]?.trim() ?? '';
    return text === '' ? [] : [{ text, percent: null }];
  });
  return notes.at(-1) ?? null;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
