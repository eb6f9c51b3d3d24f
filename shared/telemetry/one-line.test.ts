import { expect, it } from 'vitest';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { harmless, oneLine } from './one-line.ts';

/** Clears the screen, sets the title, both ways of beginning a command; turns the writing round; hides; breaks the line. */
const evil = 'a\u001b[2J\u001b]0;owned\u0007\u009b2J\r\b\u007f\u202e\u2066\u200f\u061c\u200b\ufeff\u2028b';
const shown =
  'a\\u001b[2J\\u001b]0;owned\\u0007\\u009b2J\\u000d\\u0008\\u007f\\u202e\\u2066\\u200f\\u061c\\u200b\\ufeff\\u2028b';

it('what would steer a terminal is shown as its escape, all else stays', () => {
  expect(harmless(evil)).toBe(shown);
  const plain = 'Größe → 1 µs, 日本語, 👩‍💻 café\n\tnext';
  expect(harmless(plain)).toBe(plain);
});

it('so are the words of an error', () => {
  const gathered = new AggregateError([new Error(evil), evil]);
  expect(oneLine(gathered)).toBe(`${shown}; ${shown}`);
});

it('a log line holds none of it as it is, and reads the same', () => {
  const { logger, lines, text } = captureLog();
  logger.info({ title: evil, [evil]: [evil] }, evil);

  expect(text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200f\u2028\u202e\u2066\ufeff]/);
  expect(lines()).toMatchObject([{ msg: evil, title: evil, [evil]: [evil] }]);
});
