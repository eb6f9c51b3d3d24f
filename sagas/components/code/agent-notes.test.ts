import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Note } from '../../engine/notes.ts';
import { agentNotes, claudeNote, readNotes } from './agent-notes.ts';

function read(
  output: 'text' | 'claude-json',
  chunks: readonly (string | Buffer)[],
  from: 'stdout' | 'stderr' = 'stdout',
) {
  const notes: Note[] = [];
  const reader = readNotes(output === 'claude-json' ? claudeNote : () => null, (note) => void notes.push(note));
  for (const chunk of chunks) reader(Buffer.from(chunk), from);
  return notes;
}
const claude = (...content: readonly object[]): string =>
  `${JSON.stringify({ type: 'assistant', message: { role: 'assistant', content }, session_id: 'x' })}\n`;

describe('what an agent prints', () => {
  test('is a note where the line begins with the mark, with its percentage', () => {
    const lines = [
      '::progress reading\n::progress 40% writing tests\r\n::progress 12.5 % half\n',
      '::progress 99%\n::progress 400% more\n::progress 5 %of it\n',
      ' ::progress not at the start\n::progressive\n::progress \nelse\n::progress no end',
    ];
    expect(read('text', lines)).toEqual([
      { text: 'reading', percent: null },
      { text: 'writing tests', percent: 40 },
      { text: 'half', percent: 12.5 },
      { text: '99%', percent: 99 },
      { text: '400% more', percent: null },
      { text: '5 %of it', percent: null },
    ]);
    expect(read('claude-json', ['::progress told on the side\n'], 'stderr')).toHaveLength(1);
  });

  test('is read across chunks that end anywhere, in the middle of a character, too', () => {
    const bytes = Buffer.from('noise\n::progress 10% prüfe\nnoise\n::progress done\n');
    const one = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    expect(read('text', one)).toEqual([
      { text: 'prüfe', percent: 10 },
      { text: 'done', percent: null },
    ]);
  });

  test('holds no note in a line of more than 64 KiB, and the next line is read again', () => {
    const long = Array.from({ length: 200 }, () => 'x'.repeat(1_024));
    expect(read('text', ['::progress ', ...long, '\n::progress after\n'])).toEqual([{ text: 'after', percent: null }]);
  });

  test('is, of stream-json, what Claude says last in a line, or the tool that it uses', () => {
    const lines = [
      `${JSON.stringify({ type: 'system', subtype: 'init' })}\n`,
      claude({ type: 'text', text: '\nI read the code.\nThen I write.' }),
      claude({ type: 'text', text: 'Now' }, { type: 'tool_use', id: 't', name: 'Bash', input: { command: 'ls' } }),
      claude({ type: 'thinking', thinking: 'secret' }),
      `${JSON.stringify({ type: 'user', message: { content: [{ type: 'text', text: '"assistant"' }] } })}\n`,
      '{"type":"assistant","message":{"content":"text"}}\n{"type":"assistant"\n',
      claude({ type: 'tool_use', name: 7 }, { type: 'text', text: null }),
    ];
    const expected = [
      { text: 'I read the code.', percent: null },
      { text: 'Bash', percent: null },
    ];
    expect(read('claude-json', lines)).toEqual(expected);
    expect(read('text', lines)).toEqual([]);
    expect(read('claude-json', lines, 'stderr')).toEqual([]);
  });
});

test('of ten thousand notes one a second is passed on, the newest, without secrets and fit for a terminal', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const taken: Note[] = [];
  const secrets = {
    text: (text: string) => text.replaceAll('hunter22', '[hidden]'),
    result: (result: never) => result,
    failure: (error: never) => error,
  };
  const over = new AbortController();
  const take = (note: Note): void => void taken.push(note);
  const reader = agentNotes({ note: take, secrets }, () => null, over.signal);
  for (let second = 0; second < 10; second += 1) {
    const lines = Array.from(
      { length: 1_000 },
      (_, index) => `::progress ${index / 10}% hunter22 \u001b[31m ${second}\n`,
    );
    reader?.(Buffer.from(lines.join('')), 'stdout');
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(taken.length).toBeGreaterThan(5);
  expect(taken.length).toBeLessThanOrEqual(11);
  expect(taken.at(-1)).toEqual({ text: '[hidden] \\u001b[31m 9', percent: 99.9 });

  over.abort();
  reader?.(Buffer.from('::progress too late\n'), 'stdout');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(taken.some(({ text }) => text === 'too late')).toBe(false);
  expect(agentNotes({ note: undefined, secrets }, () => null, over.signal)).toBeUndefined();
});
