import { expect, test } from 'vitest';
import { named } from './heaviest-first.ts';
import { sources } from './sources.ts';

test('whatever is named as long is there: a file that is renamed would begin last again', async () => {
  const files = await sources();
  expect(named.filter((one) => !files.some((file) => one.test(file)))).toEqual([]);
});
