import { describe, expect, it } from 'vitest';
import { effortOf, levelOfScore } from './effort.ts';

const change = (files: number, lines: number) => ({ files, lines });
const level = (...[result]: Parameters<typeof effortOf>) => levelOfScore(effortOf(result)!);

describe('how hard a finished task was', () => {
  it('is told by the size of its change', () => {
    expect(level({ change: change(1, 3), sentBack: 0, succeeded: true })).toBe('low');
    expect(level({ change: change(3, 60), sentBack: 0, succeeded: true })).toBe('medium');
    expect(level({ change: change(20, 900), sentBack: 0, succeeded: true })).toBe('high');
  });

  it('and by how often it was sent back, and that nobody could do it', () => {
    expect(level({ change: change(1, 3), sentBack: 3, succeeded: true })).toBe('medium');
    expect(level({ change: change(1, 3), sentBack: 0, succeeded: false })).toBe('high');
    expect(level({ change: null, sentBack: 0, succeeded: false })).toBe('high');
  });

  it('is not known where nothing tells', () => {
    expect(effortOf({ change: null, sentBack: 0, succeeded: true })).toBeNull();
  });
});
