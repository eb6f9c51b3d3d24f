import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createAuthority, type Authority } from '@workledger/infra/testing/servers/authority.ts';
import { describeWithKafka } from '@workledger/infra/testing/servers/kafka.ts';
import {
  scramCredentials,
  startSecuredKafka,
  type SecuredKafka,
} from '@workledger/infra/testing/servers/secured-kafka.ts';
import type { KafkaAccess } from '../../config/server-access.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { createOutages } from '../../resilience/outages/outages.ts';
import { startConsumer } from '../testing.ts';
import { askBroker } from './ask-broker.ts';
import { createKafkaBus, type KafkaBus } from './kafka-bus.ts';
import { OPEN } from './open-socket.ts';
import { createRecorder } from './testing/feed.ts';

const PASSWORD = 'sesame-of-the-test';
const ALTER_USER_SCRAM_CREDENTIALS = 51;

describeWithKafka('Kafka with TLS and users', { timeout: 60_000 }, () => {
  let authority: Authority;
  let kafka: SecuredKafka;
  const open = (
    access: KafkaAccess,
    brokers = kafka.brokers,
  ): { bus: KafkaBus; log: ReturnType<typeof captureLog> } => {
    const log = captureLog();
    const bus = createKafkaBus({
      brokers: [brokers],
      access,
      clientId: 'test',
      logger: log.logger,
      topicPrefix: `test-${newId()}`,
      publishTimeout: 3_000,
    });
    return { bus, log };
  };
  const login = (mechanism: 'plain' | 'scram-sha-512', password = PASSWORD): KafkaAccess => ({
    tls: { ca: authority.certificate },
    sasl: { mechanism, username: 'ada', password },
  });
  beforeAll(async () => {
    authority = await createAuthority();
    kafka = await startSecuredKafka(authority, PASSWORD);
    await askBroker(kafka.open, 'test', OPEN, {
      key: ALTER_USER_SCRAM_CREDENTIALS,
      version: 0,
      body: scramCredentials('ada', PASSWORD),
    });
  }, 120_000);
  afterAll(() => kafka.stop());

  it.each(['plain', 'scram-sha-512'] as const)('carries events for who logs in by %s', async (mechanism) => {
    const { bus } = open(login(mechanism));
    const stream = streamName('task', newId());
    const events = createRecorder()(stream, 3);
    await bus.publish(events);
    expect([...(await bus.topicIds(['task'])).values()][0]).toMatch(/^[0-9a-f]{32}$/);
    const consumer = startConsumer(bus);
    await vi.waitUntil(() => consumer.events(stream).length >= 3, { timeout: 30_000 });
    await consumer.stop();
    expect(consumer.events(stream)).toEqual(events);
    await bus.close();
  });

  const another = async (): Promise<KafkaAccess> => ({
    ...login('plain'),
    tls: { ca: (await createAuthority()).certificate },
  });
  const byAnotherName = (): string => kafka.brokers.replace('localhost', '127.0.0.1');
  it.each([
    ['a wrong password by PLAIN', () => login('plain', 'wrong-password'), /refuses the user or its password/],
    ['a wrong password by SCRAM', () => login('scram-sha-512', 'wrong-password'), /refuses the user or its password/],
    ['a broker of another authority', another, /certificate comes from no authority that is trusted here/],
    ['a broker of no known authority', () => ({ ...login('plain'), tls: {} }), /no authority that is trusted here/],
    ['a broker by another name', () => login('plain'), /certificate is for another name/, byAnotherName],
    ['who comes without TLS', () => OPEN, null],
  ] as const)('refuses %s in one line', async (_, access, words, brokers = () => kafka.brokers) => {
    const given = await access();
    const { bus, log } = open(given, brokers());
    const outages = createOutages(log.logger);
    const errors = [
      await outages.watch('kafka', () => bus.check()).catch((error: unknown) => error),
      await askBroker(brokers(), 'test', given, { key: 3, version: 0, body: Buffer.alloc(4) }).catch(
        (error: unknown) => error,
      ),
    ];
    for (const error of errors) expect(error).toBeInstanceOf(Error);
    const told = log.lines().filter(({ level }) => level === 'warn');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      msg: words === null ? 'kafka is away: waiting for it' : 'kafka does not let us in: trying again',
      reason: expect.stringMatching(words ?? /Closed connection/),
    });
    expect(JSON.stringify([log.lines(), errors.map(String)])).not.toMatch(/wrong-password|sesame/);
    await bus.close();
  });
});
