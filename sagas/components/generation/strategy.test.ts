import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strategyFor, type Candidate, type Wanted } from './strategy.ts';

const task = (change: Partial<Wanted> = {}): Wanted => ({
  ...{ title: 'Fix a typo in the greeting', description: 'It says helo.', labels: [], capabilities: ['code'] },
  ...{ complexity: null, refused: [], ...change },
});
const none = { succeeded: 0, failed: 0 };
const chat: Candidate = { name: 'chat:fast', kind: 'chat', capabilities: ['code'], priceUsd: 0.01, record: none };
const agent: Candidate = { name: 'agent-1', kind: 'agent', capabilities: null, priceUsd: 0.4, record: none };
const codegen: Candidate = { name: 'codegen', kind: 'codegen', capabilities: ['code'], priceUsd: 1, record: none };
const all = [agent, codegen, chat];
const names = (wanted: Wanted, candidates = all): string[] =>
  strategyFor(wanted, candidates).order.map(({ name }) => name);

describe('who is asked to write the code of a task', () => {
  it('is a model for what is simple, and falls back to an agent, then to Codegen', () => {
    expect(names(task())).toEqual(['chat:fast', 'agent-1', 'codegen']);
  });

  it('is an agent for what is hard, then Codegen, the model last', () => {
    const hard = task({ title: 'Migrate the store', description: 'Rewrite the protocol and its architecture.' });
    expect(names(hard)).toEqual(['agent-1', 'codegen', 'chat:fast']);
    expect(strategyFor(hard, all).level).toBe('high');
  });

  it('is Codegen for what is hard where it is good and agents were not', () => {
    const bad = { ...agent, record: { succeeded: 1, failed: 9 } };
    const good = { ...codegen, record: { succeeded: 9, failed: 1 } };
    expect(names(task({ labels: ['epic'] }), [bad, good, chat])[0]).toBe('codegen');
  });

  it.each([
    [{ complexity: { level: 'high', score: 90 } }, 'high', 'the task says high (90 of 100)'],
    [{ complexity: { level: 'high', score: 90, estimated: true, reason: 'many files' } }, 'high', 'many files'],
    [{ labels: ['ui', 'Security'] }, 'high', 'a label of hard work'],
    [{ labels: ['good first issue'], description: 'x'.repeat(5_000) }, 'low', 'a label of small work'],
    [{ complexity: { level: 'low', score: 5 }, labels: ['epic'] }, 'low', 'the task says low (5 of 100)'],
    [{ title: 'Add a field', description: `In src/a/b.ts and src/a/c.ts.` }, 'medium', 'files it names'],
    [{ title: 'Do these', description: `${'- one\n'.repeat(7)}${'x'.repeat(2_500)}` }, 'high', 'a list of parts'],
  ] as const)('takes %j for %s, and says why', (change, level, because) => {
    const found = strategyFor(task(change), all);
    expect(found.level).toBe(level);
    expect(found.because).toContain(because);
  });

  it('is nobody who cannot do what the task demands, and says what is lacking', () => {
    const found = strategyFor(task({ capabilities: ['code', 'gpu'] }), all);
    expect(found.order.map(({ name }) => name)).toEqual(['agent-1']);
    expect(found.left).toContainEqual({ name: 'chat:fast', kind: 'chat', reason: 'it cannot do: gpu' });
  });

  it('says what it thinks of each in words', () => {
    const [first] = strategyFor(task(), [{ ...chat, record: { succeeded: 3, failed: 1 } }]).order;
    expect(first?.reason).toBe('$0.01 an attempt and $0.05 of waiting, by a chance of 73 % (3 of 4 were good): $0.083');
  });

  it('is last whose work was refused', () => {
    expect(names(task({ refused: ['chat:fast'] }))).toEqual(['agent-1', 'codegen', 'chat:fast']);
    expect(strategyFor(task({ refused: ['chat:fast'] }), all).order.at(-1)?.reason).toMatch(/^last, since/);
  });
});

const count = fc.nat({ max: 50 });
const candidate = (name: string): fc.Arbitrary<Candidate> =>
  fc.record({
    name: fc.constant(name),
    kind: fc.constantFrom('agent', 'codegen', 'chat'),
    capabilities: fc.option(fc.subarray(['code', 'gpu', 'docs']), { nil: null }),
    priceUsd: fc.option(fc.double({ min: 0, max: 50, noNaN: true }), { nil: null }),
    record: fc.record({ succeeded: count, failed: count }),
  });
const several = fc.tuple(candidate('a'), candidate('b'), candidate('c'), candidate('d'));
const wanted: fc.Arbitrary<Wanted> = fc.record({
  ...{ title: fc.string(), description: fc.string({ maxLength: 4_000 }) },
  labels: fc.array(fc.constantFrom('docs', 'epic', 'ui', 'size/L')),
  capabilities: fc.subarray(['code', 'gpu']),
  complexity: fc.option(fc.record({ level: fc.constantFrom('low', 'medium', 'high'), score: fc.nat({ max: 100 }) }), {
    nil: null,
  }),
  refused: fc.subarray(['a', 'b', 'c']),
});
const placeOf = (name: string, order: readonly { readonly name: string }[]): number =>
  order.findIndex((one) => one.name === name);

describe('for whatever task and whoever there is', () => {
  it('everybody is either asked once or left out with a reason, whatever order they come in', () => {
    fc.assert(
      fc.property(wanted, several, (task, candidates) => {
        const { order, left } = strategyFor(task, candidates);
        expect([...order, ...left].map(({ name }) => name).sort()).toEqual(['a', 'b', 'c', 'd']);
        expect([...order, ...left].every(({ reason }) => reason !== '' && !reason.includes('NaN'))).toBe(true);
        expect(strategyFor(task, candidates.toReversed()).order).toEqual(order);
      }),
    );
  });

  it('nobody comes later for one more success or a lower price, or earlier for one more failure', () => {
    fc.assert(
      fc.property(wanted, several, fc.nat({ max: 3 }), (task, candidates, at) => {
        const one = candidates[at] as Candidate;
        const { record, priceUsd, name } = one;
        const place = (change: Partial<Candidate>): number =>
          placeOf(
            name,
            strategyFor(
              task,
              candidates.map((each) => (each === one ? { ...each, ...change } : each)),
            ).order,
          );
        const now = place({});
        expect(place({ record: { ...record, succeeded: record.succeeded + 1 } })).toBeLessThanOrEqual(now);
        expect(place({ record: { ...record, failed: record.failed + 1 } })).toBeGreaterThanOrEqual(now);
        if (priceUsd !== null) expect(place({ priceUsd: priceUsd / 2 })).toBeLessThanOrEqual(now);
      }),
    );
  });

  it('nobody whose work was refused comes before one whose was not', () => {
    fc.assert(
      fc.property(wanted, several, (task, candidates) => {
        const refused = strategyFor(task, candidates).order.map(({ name }) => task.refused.includes(name));
        expect(refused).toEqual(refused.toSorted((one, other) => Number(one) - Number(other)));
      }),
    );
  });
});
