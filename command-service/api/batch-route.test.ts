import { expect, test } from 'vitest';
import { newestTokens } from './batch-route.ts';

test('of each stream the newest token stays', () => {
  expect(newestTokens(['task-a@1,dependencies-b@0', '', 'task-a@0', 'dependencies-b@10'])).toBe(
    'task-a@1,dependencies-b@10',
  );
});

test('of nothing comes nothing', () => {
  expect(newestTokens(['', ''])).toBe('');
});
