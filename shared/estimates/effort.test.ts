import { describe, expect, it } from 'vitest';
import { effortOf, levelOfScore } from './effort.ts';

const change = (files: number, lines: number) => ({ files, lines });
const score = (result: Partial<Parameters<typeof effortOf>[0]>) =>
  effortOf({ change: null, sentBack: 0, evolution: null, succeeded: true, ...result });
const level = (result: Parameters<typeof score>[0]) => levelOfScore(score(result)!);

describe('how hard a finished task was', () => {
  it('is told by the size of its change', () => {
    expect(level({ change: change(1, 3) })).toBe('low');
    expect(level({ change: change(3, 60) })).toBe('medium');
    expect(level({ change: change(20, 900) })).toBe('high');
  });

  it('and by how often it was sent back, and that nobody could do it', () => {
    expect(level({ change: change(1, 3), sentBack: 3 })).toBe('medium');
    expect(level({ change: change(1, 3), succeeded: false })).toBe('high');
    expect(level({ change: null, succeeded: false })).toBe('high');
  });

  it('and by what evolution tried in vain', () => {
    const evolved = (candidates: number, failed: number, improved: boolean): number =>
      score({ change: change(1, 3), evolution: { candidates, failed, improved } })!;
    const without = score({ change: change(1, 3) })!;
    expect(evolved(6, 0, true)).toBe(without);
    expect(evolved(0, 0, false)).toBe(without);
    expect(evolved(6, 3, true)).toBe(without + 6);
    expect(evolved(6, 0, false)).toBe(without + 8);
    expect(evolved(6, 6, false)).toBe(without + 20);
    expect(score({ change: change(200, 90_000), evolution: { candidates: 6, failed: 6, improved: false } })).toBe(100);
  });

  it('is not known where nothing tells', () => {
    expect(score({})).toBeNull();
  });
});
