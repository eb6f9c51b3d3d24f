// What the workshop's programs share: they note what they do in a file, and wait wherever the test holds them.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const control = process.argv[2];

/** One line for each thing that happened: what, at which point, by which process. */
export const note = (what, point) =>
  appendFileSync(join(control, 'notes'), `${JSON.stringify({ what, point, pid: process.pid })}\n`);

/** Notes that the point is reached, and goes on as soon as nothing holds it. */
export async function pass(point) {
  note('reached', point);
  while (existsSync(join(control, `hold-${point}`))) await pause(10);
}

export const isSwitchedOn = (name) => existsSync(join(control, `switch-${name}`));

export const readWork = () => JSON.parse(readFileSync('work.json', 'utf8'));
