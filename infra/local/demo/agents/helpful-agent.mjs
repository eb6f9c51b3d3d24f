// An agent for a machine without a model: it knows the sample, reads the prompt and the code, and really edits the code.
import { readCode, readPrompt, writeCode } from './workplace.mjs';
import { bySorting, bySortingTwice, everyPair, halfTheBook, halfThePairs, inOnePass } from './versions.mjs';

/** Two ideas for every state of the code; candidates of one generation take different ones. */
const ideas = new Map([
  [
    everyPair,
    [
      [halfThePairs, 'each pair need be compared only once'],
      [bySorting, 'sort, and duplicates lie side by side'],
    ],
  ],
  [
    halfThePairs,
    [
      [bySorting, 'sort, and duplicates lie side by side'],
      [inOnePass, 'a map finds them in one pass'],
    ],
  ],
  [
    bySorting,
    [
      [bySortingTwice, 'sorting twice may help'],
      [inOnePass, 'a map finds them in one pass'],
    ],
  ],
  [inOnePass, [[halfTheBook, 'half of the book may be enough']]],
]);

const { purpose, attempt } = await readPrompt();
const code = readCode();
if (purpose === 'generate') {
  await writeCode(everyPair, 'comparing addresses in lower case, telling them as they are written first');
} else {
  const known = ideas.get(code) ?? [[inOnePass, 'a map finds them in one pass']];
  const [text, said] = known[(attempt - 1) % known.length];
  await writeCode(text, said);
}
