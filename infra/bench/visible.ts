import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const HELP = `Command accepted → visible, on a system that runs: creates tasks at a steady rate and asks for some of them with the token of the
answer. Prints the milliseconds from the command's answer to the query's.

Usage: npm run bench:visible -- [options]

  --against URL   the gateway, or command-service (default: http://127.0.0.1:8080)
  --queries URL   query-service, where that is another address
  --key FILE      an administrator's key (default: .workledger/distributed/admin-key)
  --rate N        commands a second (default: 500)
  --seconds N     how long, after two seconds of warming up (default: 10)
  --sample N      every N-th command is asked for (default: 10)
  --help          this text
`;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    against: { ...text, default: 'http://127.0.0.1:8080' },
    queries: text,
    key: { ...text, default: '.workledger/distributed/admin-key' },
    rate: { ...text, default: '500' },
    seconds: { ...text, default: '10' },
    sample: { ...text, default: '10' },
    help: { type: 'boolean' },
  },
});

const WARMING_SECONDS = 2;

async function main(): Promise<void> {
  const key = (await readFile(values.key, 'utf8')).trim();
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const queries = values.queries ?? values.against;
  const [rate, seconds, sample] = [Number(values.rate), Number(values.seconds), Number(values.sample)];
  const body = JSON.stringify({ title: 'visible soon', description: 'x'.repeat(200), capabilities: ['nobody-has-it'] });
  const accepting: number[] = [];
  const visible: number[] = [];
  let faults = 0;

  async function one(isAsked: boolean): Promise<void> {
    const sent = performance.now();
    const created = await fetch(`${values.against}/api/v1/tasks`, { method: 'POST', headers, body });
    const { id } = (await created.json()) as { id?: string };
    const accepted = performance.now();
    if (!created.ok) return void faults++;
    accepting.push(accepted - sent);
    if (!isAsked) return;
    const token = created.headers.get('Consistency-Token') ?? '';
    const found = await fetch(`${queries}/api/v1/tasks/${id}`, { headers: { ...headers, 'Consistency-Token': token } });
    await found.arrayBuffer();
    if (found.ok) visible.push(performance.now() - accepted);
    else faults++;
  }

  async function send(forSeconds: number): Promise<number> {
    const started = performance.now();
    const asked: Promise<void>[] = [];
    while (performance.now() - started < forSeconds * 1000) {
      const due = ((performance.now() - started) / 1000) * rate;
      while (asked.length < due) asked.push(one(asked.length % sample === 0));
      await pause(1);
    }
    await Promise.all(asked);
    return asked.length / ((performance.now() - started) / 1000);
  }

  await send(WARMING_SECONDS);
  accepting.length = visible.length = faults = 0;
  const perSecond = await send(seconds);
  console.table([
    { what: 'command sent → accepted, ms', ...percentiles(accepting) },
    { what: 'accepted → visible, ms', ...percentiles(visible) },
  ]);
  console.log(`${Math.round(perSecond)} commands/s, ${faults} without the wished answer`);
}

function percentiles(times: number[]): Record<string, number> {
  times.sort((a, b) => a - b);
  const at = (share: number): number => Number((times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(1));
  return { p50: at(0.5), p99: at(0.99), n: times.length };
}

if (values.help === true) process.stdout.write(HELP);
else await main();
