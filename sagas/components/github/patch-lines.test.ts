import { expect, test } from 'vitest';
import { linesInPatch } from './patch-lines.ts';

test('lines of the new file that a patch shows: added and around them, not what is gone', () => {
  const patch =
    '@@ -1,4 +1,4 @@ function\n one\n-two\n+zwei\n three\n@@ -9 +9,0 @@\n-gone\n@@ -20,0 +20 @@\n+last\n\\ No newline at end of file';
  expect([...linesInPatch(patch)]).toEqual([1, 2, 3, 20]);
  expect([...linesInPatch('')]).toEqual([]);
});
