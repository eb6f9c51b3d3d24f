import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { documentStorm } from '../testing/documents/storm.ts';
import { embedded } from '../testing/system/embedded.ts';

// Many clients edit one document at random while lines break, copies are spoilt and the server is killed once.
const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '30' },
    /** Milliseconds between two edits of a client, about. */
    pace: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
});
const { clients, seconds, pace, seed } = {
  ...{ clients: Number(values.clients), seconds: Number(values.seconds) },
  ...{ pace: Number(values.pace), seed: Number(values.seed) },
};

const system = await embedded.start();
try {
  const { digests, counted, counts, ...storm } = await documentStorm(
    system.client,
    { clients, seconds, pace, seed },
    async () => {
      await pause((seconds * 1_000) / 2);
      await system.kill9('service', 'storage');
      await system.restart();
    },
  );
  console.table([storm]);
  console.log(
    `${digests.size === 1 ? 'all copies are equal to the log' : `${digests.size} DIFFERENT documents`}; counted up ${counts} times, and it is ${counted}`,
  );
  if (digests.size !== 1 || counted !== counts) process.exitCode = 1;
} finally {
  await system.dispose();
}
