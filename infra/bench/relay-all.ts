import { runRelay, type RelayOptions } from '@workledger/command-service/relay/run-relay.ts';

/** Carries the whole log to the bus: from the start to the head of this moment. */
export async function relayAll({ log, bus, pool, logger }: Omit<RelayOptions, 'signal'>): Promise<void> {
  const head = await log.head();
  await pool.query(`update relay.leader set checkpoint = 0, expires_at = '-infinity'`);
  const stopping = new AbortController();
  const { prepare } = bus;
  if (prepare === undefined) throw new Error('this bus prepares nothing');
  await runRelay({
    log,
    pool,
    logger,
    signal: stopping.signal,
    bus: {
      ...bus,
      prepare: async (events) => {
        const publish = await prepare(events);
        return async () => {
          await publish();
          if (events.at(-1)?.position === head) stopping.abort();
        };
      },
    },
  });
}
