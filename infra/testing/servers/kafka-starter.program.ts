// Starts Kafka as a program of its own, which a test may kill. Argument: the folder. Prints one JSON line: { brokers, pid }, or
// { error } and exit code 1. Ends in order when its standard input closes.
import { startKafka } from '../../local/kafka/embedded-kafka.ts';

try {
  const kafka = await startKafka({ folder: process.argv[2] ?? '', log: (line) => console.error(line) });
  console.log(JSON.stringify({ brokers: kafka.brokers, pid: kafka.pid }));
  for await (const _ of process.stdin);
  await kafka.stop();
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
  process.exitCode = 1;
}
