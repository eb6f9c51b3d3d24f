import { Kafka } from 'kafkajs';

type Event = { subject: string; revision: number; type: string; data: { payload: unknown } };

const { KAFKA_BROKERS = '127.0.0.1:9092', GROUP = 'my-system', TOPICS = 'workledger.task' } = process.env;
const consumer = new Kafka({ clientId: GROUP, brokers: KAFKA_BROKERS.split(',') }).consumer({ groupId: GROUP });

// Keep this where your results are, and write both in one transaction: then a restart loses and repeats nothing.
const lastRevision = new Map<string, number>();

await consumer.connect();
await consumer.subscribe({ topics: TOPICS.split(','), fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    const { subject, revision, type, data } = JSON.parse(String(message.value)) as Event;
    if (revision <= (lastRevision.get(subject) ?? -1)) return; // A repeat.
    console.log(subject, revision, type, JSON.stringify(data.payload));
    lastRevision.set(subject, revision);
  },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void consumer.disconnect());
