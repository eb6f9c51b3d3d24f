import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from './in-turn.ts';

it('work of one key runs one after the other, in the order in which it came, failures included', async () => {
  const inTurn = createTurns();
  const story: string[] = [];
  const work = (name: string, fails: boolean) => async () => {
    story.push(`${name} begins`);
    await pause(1);
    story.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const outcomes = await Promise.allSettled([
    inTurn('key', work('first', true)),
    inTurn('key', work('second', false)),
    inTurn('key', work('third', false)),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(story).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
});

it('work of different keys runs side by side', async () => {
  const inTurn = createTurns();
  let release = (): void => undefined;
  const waiting = inTurn('one', () => new Promise<string>((resolve) => (release = () => resolve('released'))));
  await inTurn('other', () => Promise.resolve(release()));
  expect(await waiting).toBe('released');
});
