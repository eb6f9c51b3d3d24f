import { createRandom, type Random } from '../events/random.ts';
import type { Part } from './engine.ts';
import { STRIKES, type Store, type Strike } from './stores.ts';

/** One store is struck, and left so for some time. */
export type Blow = { readonly store: Store['name']; readonly strike: Strike; readonly milliseconds: number };

const FREEZES = [7_000, 15_000];
const LONGEST_ABSENCE = 5_000;
const minutes = Number(process.env['WORKLEDGER_STORM_MINUTES'] ?? 0);

/** Whether a promise is tried at full length: in a storm and on a planted defect; `npm test` has shorter schedules of the same. */
export const isFullLength = minutes > 0 || process.env['WORKLEDGER_FULL_LENGTH'] === '1';

/** Whether processes die at every turn: several take half a minute to die and to find together again, and in `npm test` do so once. */
export const diesOften = (engine: string): boolean => engine === 'embedded' || isFullLength;

/** Whose services die, and whose stores where those die at every turn: else they are those of the test run, and are spared. */
export const storageOf = (engine: string): 'own' | 'shared' => (diesOften(engine) ? 'own' : 'shared');

const everyKill: readonly (readonly Part[])[] = [['service'], ['storage'], ['service', 'storage']];

/**
 * What dies at once, time after time: each kind of process, and in the end all.
 * @param own what of the system can die
 * @param last by engine: in `npm test` only so many of the last ones; several processes take half a minute to find together again
 */
export const killsOn = (
  engine: string,
  own: readonly Part[],
  last: Readonly<Record<string, number>>,
): typeof everyKill => {
  const possible = everyKill.filter((parts) => parts.every((part) => own.includes(part)));
  return isFullLength ? possible : possible.slice(-(last[engine] ?? possible.length));
};

/** In a storm one of these kills after the other, drawn by its seed until its minutes are over; else as `killsOn` has it. */
export function* killsThrough(...usual: Parameters<typeof killsOn>): Generator<readonly Part[]> {
  if (minutes === 0) return yield* killsOn(...usual);
  let number = 0;
  for (const random of draws()) {
    const parts = random.pick(everyKill);
    tell(`kill ${++number}: ${parts.join(' and ')}`);
    yield parts;
  }
}

/** Chance by WORKLEDGER_STORM_SEED, again and again until the minutes of the storm are over. */
function* draws(): Generator<Random> {
  const random = createRandom(Number(process.env['WORKLEDGER_STORM_SEED'] ?? 1));
  const endAt = performance.now() + minutes * 60_000;
  while (performance.now() < endAt) yield random;
}

/** A line for whoever watches a storm. */
export function tell(line: string): void {
  if (minutes > 0) process.stdout.write(`${line}\n`);
}

/** Whether a variable, where it is set, names this. */
const isMeant = (variable: string, name: string): boolean => (process.env[variable] ?? name) === name;

/**
 * The blows of a run: those given for the engine, or as many as WORKLEDGER_STORM_MINUTES minutes take, drawn by
 * WORKLEDGER_STORM_SEED from its stores.
 */
export function* schedule(
  engine: string,
  stores: readonly Store[],
  usual: Readonly<Record<string, readonly Blow[]>>,
): Generator<Blow> {
  if (minutes === 0) return yield* usual[engine] ?? [];
  const struck = stores.filter(({ name }) => isMeant('WORKLEDGER_STORM_STORE', name));
  const strikes = STRIKES.filter((strike) => isMeant('WORKLEDGER_STORM_STRIKE', strike));
  let number = 0;
  for (const random of draws()) {
    const strike = random.pick(strikes);
    const milliseconds = strike === 'freeze' ? random.pick(FREEZES) : 200 + random.below(LONGEST_ABSENCE);
    const { name } = random.pick(struck);
    tell(`blow ${++number}: ${strike} ${name}, ${milliseconds} ms`);
    yield { store: name, strike, milliseconds };
  }
}
