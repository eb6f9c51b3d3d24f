// An agent whose every start leaves a file of its own behind, before it is held: half-done work can be told from done work.
import { writeFileSync } from 'node:fs';
import { note, pass } from './control.mjs';

let prompt = '';
for await (const chunk of process.stdin) prompt += chunk;
const label = /This attempt is called (\S+?)\.(?:\s|$)/m.exec(prompt)[1];

writeFileSync(`started-by-${process.pid}`, '');
await pass(label);
writeFileSync('work.json', `${JSON.stringify({ by: label, cost: 10, valid: true })}\n`);
note('finished', label);
