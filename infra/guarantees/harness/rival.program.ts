import { once } from 'node:events';
import { openLog } from '../../testing/system/logs.ts';
import { rival } from './rival.ts';

// A process that competes: <engine> <address of the log> <streams, comma-separated> <events a stream>. Says "ready", begins
// when a line comes in, and prints its attempts as JSON.
const [engine = '', address = '', streams = '', events = '0'] = process.argv.slice(2);
const open = openLog[engine];
if (open === undefined) throw new Error(`no engine "${engine}"`);
const log = await open(address);
await log.head();
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const attempts = await Promise.all(streams.split(',').map((stream) => rival(log, stream, Number(events))));
process.stdout.write(`${JSON.stringify(attempts.flat())}\n`);
process.stdin.destroy();
await log.close();
