// An agent that can be counted and held: each start is noted under the label of its attempt.
import { writeFileSync } from 'node:fs';
import { isSwitchedOn, note, pass, readWork } from './control.mjs';

let prompt = '';
for await (const chunk of process.stdin) prompt += chunk;
const label = /This attempt is called (\S+?)\.(?:\s|$)/m.exec(prompt)[1];

// Half-done work of this process can be told from that of another.
if (process.argv[3] === 'leave-trace') writeFileSync(`started-by-${process.pid}`, '');
await pass(label);
const work = readWork();
const number = Number(label.split('.')[1] ?? 0);
writeFileSync(
  'work.json',
  `${JSON.stringify({ by: label, cost: work.cost - number, valid: !isSwitchedOn('invalid') })}\n`,
);
note('finished', label);
