import { expect, vi } from 'vitest';

const PROMISE_MILLISECONDS = 600_000;
/** A storm (`npm run storm`) lasts as long as it was told to. */
const STORM_MILLISECONDS = Number(process.env['WORKLEDGER_STORM_MINUTES'] ?? 0) * 60_000;

/** A promise has many processes that die and start: it may take longer than other tests. */
if (expect.getState().testPath?.includes('/infra/guarantees/') === true)
  vi.setConfig({ testTimeout: PROMISE_MILLISECONDS, hookTimeout: PROMISE_MILLISECONDS + STORM_MILLISECONDS });
