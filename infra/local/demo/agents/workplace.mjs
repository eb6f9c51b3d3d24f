// What both of the demo's agents do alike: read the prompt, look at the file, write it.
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const FILE = 'src/find-duplicates.mjs';

/** The prompt on standard input: its purpose, the number of the attempt, whether there was one before. */
export async function readPrompt() {
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  return {
    purpose: /^## Purpose: (\w+)/m.exec(text)?.[1] ?? 'generate',
    attempt: Number(/This attempt is called (?:\S*\D)?(\d+)\.(?:\s|$)/m.exec(text)?.[1] ?? 1),
    feedback: text.includes('## Feedback'),
  };
}

export const readCode = () => readFileSync(FILE, 'utf8');

/** Writes the code as somebody who thinks first, and says so. */
export async function writeCode(text, said) {
  console.log(`reading ${FILE}`);
  await sleep(400);
  console.log(said);
  await sleep(400);
  writeFileSync(FILE, text);
  console.log(`wrote ${FILE}`);
}
