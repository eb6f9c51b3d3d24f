import { expect, it } from 'vitest';
import { parseToken } from './consistency.ts';

const id = '0190a8a2-7b1c-7c3e-9d5a-1f2e3d4c5b6a';

it('reads several streams, with spaces between them or without', () => {
  expect(parseToken(`task-${id}@3, saga-code-evolution-${id}@0`)).toEqual([
    { stream: `task-${id}`, type: 'task', revision: 3 },
    { stream: `saga-code-evolution-${id}`, type: 'saga-code-evolution', revision: 0 },
  ]);
});

it('reads -1 as nothing to see', () => {
  expect(parseToken(`task-${id}@-1`)).toMatchObject([{ revision: -1 }]);
});

it.each(['', 'task', `task-${id}`, `task-${id}@`, `task-${id}@1.5`, `task-${id}@-2`, `Task-${id}@1`, `task-${id}@1,`])(
  'refuses "%s"',
  (token) => {
    expect(() => parseToken(token)).toThrow('the consistency token cannot be read');
  },
);

it('refuses more streams than any command changes', () => {
  expect(() => parseToken(Array.from({ length: 51 }, () => `task-${id}@1`).join(','))).toThrow('token');
});
