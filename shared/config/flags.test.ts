import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateFlag, flagSchema, isOn } from './flags.ts';

const flag = (more: object) => flagSchema.parse({ name: 'fast', ...more });
const isAmong = (percentage: number, subject: string, name = 'fast'): boolean =>
  evaluateFlag(flag({ name, percentage }), subject).on;
const percentage = fc.double({ min: 0, max: 100, noNaN: true });

describe('a feature flag', () => {
  it('is on for all unless somebody says otherwise, and off for all where it is not enabled', () => {
    expect(evaluateFlag(flag({}), 'a').on).toBe(true);
    expect(evaluateFlag(flag({ enabled: false }), 'a')).toEqual({ on: false, reason: 'it is off for all' });
  });

  it('whatever the subject: a higher percentage takes nobody out, 0 has none, 100 has all', () => {
    fc.assert(
      fc.property(fc.string(), percentage, percentage, (subject, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        if (isAmong(less, subject)) expect(isAmong(more, subject)).toBe(true);
        expect([isAmong(0, subject), isAmong(100, subject)]).toEqual([false, true]);
      }),
    );
  });

  it.each([1, 10, 25, 50, 90])('with %i %% is on for about so many of 20,000, always the same', (share) => {
    const subjects = Array.from({ length: 20_000 }, (_, index) => `task-${index}`);
    const on = subjects.filter((subject) => isAmong(share, subject));
    // Four standard deviations of so many draws.
    const tolerance = 4 * Math.sqrt((share * (100 - share)) / 20_000);
    expect(Math.abs((100 * on.length) / 20_000 - share)).toBeLessThan(tolerance);
    expect(subjects.filter((subject) => isAmong(share, subject))).toEqual(on);
  });

  it('takes others than another flag of the same percentage', () => {
    const subjects = Array.from({ length: 10_000 }, (_, index) => `task-${index}`);
    const both = subjects.filter((subject) => isAmong(50, subject) && isAmong(50, subject, 'other')).length;
    expect(both).toBeGreaterThan(2_300);
    expect(both).toBeLessThan(2_700);
  });

  it('is on only where all of its rules hold', () => {
    const asked = flag({
      match: [
        { field: 'repository', in: ['shop', 'bank'] },
        { field: 'type', equals: 'bug' },
      ],
    });
    expect(evaluateFlag(asked, 'a', { repository: 'shop', type: 'bug' }).on).toBe(true);
    expect(evaluateFlag(asked, 'a', { repository: 'mill', type: 'bug' })).toEqual({
      ...{ on: false, reason: 'repository is not what its rule asks for' },
    });
    expect(evaluateFlag(asked, 'a', { repository: 'shop' }).on).toBe(false);
    expect(evaluateFlag(flag({ match: [{ field: 'toString', equals: 'x' }] }), 'a').on).toBe(false);
  });

  it('that nobody has set keeps nothing from happening', () => {
    expect(isOn([], 'fast', 'a', {})).toBe(true);
    expect(isOn([flag({ percentage: 0 })], 'fast', 'a', {})).toBe(false);
  });

  it.each([
    { percentage: -1 },
    { percentage: 100.5 },
    { match: [{ field: 'type' }] },
    { match: [{ field: 'type', equals: 'a', in: ['b'] }] },
    { colour: 'red' },
  ])('is refused as %j', (bad) => expect(flagSchema.safeParse({ name: 'fast', ...bad }).success).toBe(false));
});
