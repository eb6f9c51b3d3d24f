import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { fail, keepToOurselves, stopSignal } from '@workledger/shared/service/program.ts';
import { startKafka } from './embedded-kafka.ts';

const HELP = `Kafka for development: one real broker at 127.0.0.1, without Docker. Needs Java 17 and, the first time, Maven.

Usage: npm run kafka -- [options]

  --data DIR    where its data is kept (default: .workledger/kafka-data)
  --port N      port for clients (default: last time's, else a free one)
  --help        this text

Prints KAFKA_BROKERS=… when it is ready. Ctrl-C stops it; what it holds is there at the next start.
Exit code 0: stopped; 1: could not start, or the broker died; 2: wrong usage.
`;

async function main(): Promise<void> {
  keepToOurselves();
  const { data, port, help } = readOptions();
  if (help === true) {
    process.stdout.write(HELP);
    return;
  }
  const stopAsked = stopSignal();
  // A detached broker keeps nobody alive.
  setInterval(() => undefined, 60_000);
  const kafka = await startKafka({
    folder: resolve(data ?? '.workledger/kafka-data'),
    log: (line) => process.stdout.write(`${line}\n`),
    ...(port === undefined ? {} : { port: Number(port) }),
  });
  process.stdout.write(`KAFKA_BROKERS=${kafka.brokers}\n`);
  const died = await Promise.race([kafka.died, stopAsked.then(() => null)]);
  await kafka.stop();
  if (died !== null) throw new Error(`Kafka has died (${died})`);
  process.stdout.write('stopped\n');
  process.exit();
}

function readOptions(): { data?: string; port?: string; help?: boolean } {
  try {
    const options = {
      data: { type: 'string' },
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { values } = parseArgs({ options, allowPositionals: false });
    if (values.port !== undefined && !/^[1-9]\d{0,4}$/.test(values.port)) throw new Error('--port: use a number');
    return values;
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

main().catch(fail);
