import type { Consumer } from 'kafkajs';
import { SILENCE } from './timing.ts';

/**
 * Watches over a member of a group: rejects when kafkajs has given it up, or has not been heard of for too long (it has been seen
 * to wait for an answer for ever).
 */
export function watchMember(consumer: Consumer): { readonly lost: Promise<never>; stop(): void } {
  let heard = performance.now();
  const hear = (): void => void (heard = performance.now());
  const { FETCH, HEARTBEAT, GROUP_JOIN, REBALANCING, CRASH } = consumer.events;
  consumer.on(FETCH, hear);
  consumer.on(HEARTBEAT, hear);
  consumer.on(GROUP_JOIN, hear);
  consumer.on(REBALANCING, hear);
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    consumer.on(CRASH, ({ payload }) => reject(payload.error));
    timer = setInterval(() => {
      const silence = performance.now() - heard;
      if (silence > SILENCE) reject(new Error(`nothing heard of Kafka for ${Math.round(silence / 1_000)} s`));
    }, 1_000);
  });
  return { lost, stop: () => clearInterval(timer) };
}
