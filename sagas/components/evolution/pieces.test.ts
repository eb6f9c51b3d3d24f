import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { Note } from '../../engine/notes.ts';
import { bestOf } from './evaluate.ts';
import { languageOf, withMarkers, withoutMarkers } from './markers.ts';
import { openEvolvePackages, requirements } from './packages.ts';
import { followProgress } from './progress.ts';
import { keepEvaluation, newestCheckpoint, openRunFolder, removeRunFolders } from './run-folder.ts';
import { FAILED, scoreOf } from './score.ts';

describe('marks of what may evolve', () => {
  test.each([
    ['a.py', '#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\nx = 1\n', '# EVOLVE-BLOCK-START'],
    ['a.ts', 'export const x = 1;\n', '// EVOLVE-BLOCK-START'],
    ['a.sql', 'select 1;\n', '-- EVOLVE-BLOCK-START'],
    ['empty.py', '', '# EVOLVE-BLOCK-START'],
  ])('are put around %s, and taken away again', (file, text, mark) => {
    const marked = withMarkers(text, file);
    expect(marked.own).toBe(false);
    expect(marked.text).toContain(`${mark}\n`);
    expect(withoutMarkers(marked.text, marked)).toBe(text);
  });

  it('leave the first lines of a program first', () => {
    expect(withMarkers('#!/bin/sh\necho\n', 'a.sh').text).toBe(
      '#!/bin/sh\n# EVOLVE-BLOCK-START\necho\n# EVOLVE-BLOCK-END\n',
    );
  });

  it('stay where they are the repository’s own', () => {
    const text = 'a = 1\n  # EVOLVE-BLOCK-START\nb = 2\n# EVOLVE-BLOCK-END\n';
    const marked = withMarkers(text, 'a.py');
    expect(marked).toEqual({ text, own: true });
    expect(withoutMarkers(text, marked)).toBe(text);
  });

  it('come with a language by the name of the file', () => {
    expect(['a.py', 'b.MJS', 'c.unknown'].map(languageOf)).toEqual(['python', 'javascript', 'text']);
  });
});

describe('the one number that OpenEvolve knows', () => {
  const least = { metric: 'ms', direction: 'minimize', start: 8 } as const;
  it('is 1 for the start, more for what is better, less and never 0 for what is worse', () => {
    expect([8, 4, 2, 16].map((ms) => scoreOf(least, { ms }))).toEqual([1, 1.5, 1.75, 0.5]);
    expect(scoreOf(least, { ms: 1e9 })).toBeGreaterThan(FAILED);
  });
  it.each([
    ['minimize', [5, 0, -5, -100]],
    ['maximize', [-100, -5, 0, 5]],
  ] as const)('keeps the order of values of any sign when it is to %s', (direction, worseToBetter) => {
    for (const start of [-3, 0, 3]) {
      const scores = worseToBetter.map((value) => scoreOf({ metric: 'x', direction, start }, { x: value }));
      expect(scores).toEqual(scores.toSorted((one, other) => one - other));
      expect(new Set(scores).size).toBe(4);
    }
  });
  it('is 0 for what does not tell the metric', () => {
    expect(scoreOf(least, { seconds: 1 })).toBe(FAILED);
  });
});

describe('progress by the log', () => {
  function followed() {
    const notes: Note[] = [];
    const progress = followProgress(4, { best: () => 'best ms 3', note: (note) => notes.push(note) });
    return { progress, notes, says: (text: string) => progress.take(Buffer.from(text)) };
  }
  const done = (number: number): string =>
    `x - INFO - Iteration ${number}: Program a-1 (parent: b-2) completed in 0.69s | tokens\n`;

  it('counts each iteration once, however it ends, in whatever order and pieces', () => {
    const { progress, notes, says } = followed();
    says(done(2).slice(0, 30));
    says(done(2).slice(30) + done(2));
    says('x - WARNING - Iteration 1 error [diff]: None of the 1 SEARCH block(s) matched | tokens: 15\n');
    says('x - ERROR - ⏰ Iteration 3 timed out after 9s\nIteration 99: Program a (parent: b) completed in 1s\n');
    expect(progress.count()).toBe(3);
    expect(notes.at(-1)).toEqual({ text: 'OpenEvolve: 3 of 4 iterations, best ms 3', percent: 75 });
    expect(progress.problem()).toBe('it timed out');
  });

  it('counts again what is done again after a checkpoint', () => {
    const { progress, says } = followed();
    says(done(1) + done(2) + done(3));
    progress.goOn(2);
    expect(progress.count()).toBe(2);
    says(done(3));
    expect(progress.count()).toBe(3);
  });

  it('takes a target that is reached for the reason, also where the last line says otherwise', () => {
    const { progress, says } = followed();
    says('Target score 1.5 reached at iteration 3\n✅ Evolution completed - Maximum iterations reached\n');
    expect(progress.reason()).toBe('Target score 1.5 reached');
  });
});

describe('what a run has on this machine', () => {
  let dataFolder = '';
  beforeEach(() => (dataFolder = mkdtempSync(join(tmpdir(), 'workledger-evolution-'))));
  afterEach(() => rmSync(dataFolder, { recursive: true, force: true }));

  it('goes on from the newest checkpoint that is whole, and drops one that was being written', async () => {
    const folder = await openRunFolder(dataFolder, 'run-1.1', 'src/a.py');
    expect(folder.program).toBe('program.py');
    expect(await newestCheckpoint(folder)).toBeNull();
    const checkpoints = join(folder.work, 'output', 'checkpoints');
    const write = (number: number, metadata: string, programs: readonly string[]): void => {
      mkdirSync(join(checkpoints, `checkpoint_${number}`, 'programs'), { recursive: true });
      writeFileSync(join(checkpoints, `checkpoint_${number}`, 'metadata.json'), metadata);
      for (const id of programs)
        writeFileSync(join(checkpoints, `checkpoint_${number}`, 'programs', `${id}.json`), '{}');
    };
    const metadata = (last: number): string => JSON.stringify({ last_iteration: last, islands: [['a'], ['b']] });
    write(2, metadata(2), ['a', 'b']);
    write(4, metadata(4), ['a']);
    write(10, metadata(10).slice(0, 20), ['a', 'b']);
    expect(await newestCheckpoint(folder)).toEqual({ path: 'output/checkpoints/checkpoint_2', iteration: 2 });
    expect(readdirSync(checkpoints)).toEqual(['checkpoint_2']);
  });

  it('knows in a later attempt what was judged, and when it began', async () => {
    const folder = await openRunFolder(dataFolder, 'run-1.1', 'a.py');
    const common = { commit: 'c'.repeat(40), metrics: { ms: 1 }, failure: null };
    for (const [number, score] of [
      [1, 1],
      [2, 1.5],
      [3, 1.5],
      [4, 0.5],
    ] as const)
      await keepEvaluation(folder, { ...common, number, score, code: `x = ${number}` });
    const again = await openRunFolder(dataFolder, 'run-1.1', 'a.py');
    expect(again.evaluations).toEqual(folder.evaluations);
    expect(again.begunAt).toBe(folder.begunAt);
    expect(bestOf(again)?.number).toBe(2);
    expect(bestOf({ evaluations: new Map([...again.evaluations].slice(0, 0)) })).toBeNull();
    await removeRunFolders(dataFolder, 'other');
    expect(readdirSync(join(dataFolder, 'evolutions'))).toEqual(['run-1.1']);
    await removeRunFolders(dataFolder, 'run');
    expect(readdirSync(join(dataFolder, 'evolutions'))).toEqual([]);
  });

  it('has only packages of exact versions with hashes', () => {
    const pins = requirements.split('\n').filter((line) => /^[a-z]/.test(line));
    expect(pins).toContain('openevolve==0.4.1 \\');
    expect(pins.every((line) => /^[\w-]+==[\w.]+( ; .+)? \\$/.test(line))).toBe(true);
  });

  it('tells in one line that there is no Python', async () => {
    vi.stubEnv('PATH', dataFolder);
    const tried = openEvolvePackages(dataFolder, 'openevolve', new AbortController().signal);
    await expect(tried).rejects.toMatchObject({
      ...{ retryable: false, fault: 'work' },
      failure: {
        reason: expect.stringMatching(/^OpenEvolve 0\.4\.1 cannot be had: python3 is not on PATH[^\n]*$/) as string,
      },
    });
    vi.unstubAllEnvs();
  });

  it('tells in one line that the registry refuses, and leaves nothing half fetched', async () => {
    const program = join(dataFolder, 'python3');
    writeFileSync(
      program,
      '#!/bin/sh\n[ "$1" = -c ] && { echo 3.12; exit; }\necho "ERROR: no such index" >&2\nexit 1\n',
      { mode: 0o755 },
    );
    vi.stubEnv('PATH', `${dataFolder}:/usr/bin:/bin`);
    const tried = openEvolvePackages(dataFolder, 'openevolve', new AbortController().signal);
    await expect(tried).rejects.toMatchObject({
      failure: {
        reason: expect.stringContaining('python3 -m pip install ended with 1: ERROR: no such index') as string,
      },
    });
    expect(readdirSync(join(dataFolder, 'tools', 'openevolve'))).toEqual([]);
    vi.unstubAllEnvs();
  });
});
