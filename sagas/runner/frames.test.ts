import { expect, test } from 'vitest';
import {
  answerFrame,
  BadFrames,
  encodeFrame,
  MAX_LINE_BYTES,
  readFrames,
  referencesIn,
  referenceTo,
} from './frames.ts';

const artefactOf = (bytes: Uint8Array) => ({ frame: 'artefact', ...referenceTo(bytes, 'text/plain') }) as const;

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function read(bytes: Uint8Array, size = bytes.length) {
  const frames = [];
  for await (const frame of readFrames(chunked(bytes, size), answerFrame)) frames.push(frame);
  return frames;
}
const lines = (text: string) => read(Buffer.from(text));

test('frames come as they were sent, wherever the chunks end', async () => {
  const bytes = Buffer.from('{"frame":"alive"}\nnot a frame, but bytes\n');
  const sent = Buffer.concat([
    ...encodeFrame({ frame: 'alive' }),
    ...encodeFrame(artefactOf(bytes), bytes),
    ...encodeFrame(artefactOf(Buffer.alloc(0)), Buffer.alloc(0)),
    ...encodeFrame({ frame: 'result', result: { sum: 'é\n' } }),
  ]);
  for (const size of [1, 2, 7, 64, sent.length]) {
    const frames = await read(sent, size);
    expect(frames.map(({ header }) => header.frame)).toEqual(['alive', 'artefact', 'artefact', 'result']);
    expect(Buffer.from(frames[1]!.bytes)).toEqual(bytes);
    expect(frames[3]!.header).toEqual({ frame: 'result', result: { sum: 'é\n' } });
  }
});

test('an artefact is sent without a copy, and read into one', async () => {
  const bytes = new Uint8Array(3_000_000).fill(7);
  const [line, ...chunks] = [...encodeFrame(artefactOf(bytes), bytes)];
  expect(chunks.every((chunk) => chunk.buffer === bytes.buffer)).toBe(true);
  const [frame] = await read(Buffer.concat([line!, ...chunks]), 65_536);
  expect(frame!.bytes.buffer.byteLength).toBe(bytes.length);
});

test.each([
  ['other bytes under a digest', `${JSON.stringify({ ...artefactOf(Buffer.from('a')) })}\nb`, 'another digest'],
  ['an end in the middle of bytes', `${JSON.stringify(artefactOf(Buffer.from('abc')))}\nab`, '1 bytes before the end'],
  ['an end in the middle of a line', '{"frame":"alive"}\n{"frame"', 'middle of a line'],
  ['what is no JSON', 'hello\n', 'no JSON'],
  ['a frame that is not known', '{"frame":"shell","command":"id"}\n', 'not known'],
  ['a field too many', '{"frame":"alive","more":1}\n', 'not known'],
  ['a line without an end', 'x'.repeat(MAX_LINE_BYTES), 'a line of more than'],
  ['an artefact over the limit', `${JSON.stringify({ ...artefactOf(Buffer.from('')), size: 1e8 + 1 })}\n`, 'not known'],
])('%s is refused', async (_, text, told) => {
  const error: unknown = await lines(text).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BadFrames);
  expect(String(error)).toContain(told);
});

test('a line that nobody would read is not sent', () => {
  expect(() => [...encodeFrame({ frame: 'x'.repeat(MAX_LINE_BYTES) })]).toThrow(BadFrames);
});

test('references are found wherever they are in a request, each once', () => {
  const [one, other] = ['1', '2'].map((digit) => referenceTo(Buffer.from(digit), 'text/plain'));
  const request = { prompt: { feedback: { reason: 'x', log: one }, list: [other, one] }, empty: null };
  expect(referencesIn(request)).toEqual([one, other]);
});
