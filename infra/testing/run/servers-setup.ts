import type { TestProject } from 'vitest/node';
import { provideKafka } from './kafka-setup.ts';
import { providePostgres } from './postgres-setup.ts';
import { providePrograms } from './programs-setup.ts';

/** The servers of a test run, started side by side, and the programs. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await Promise.allSettled([
    providePostgres(project),
    provideKafka(project),
    providePrograms(project).then(() => () => Promise.resolve()),
  ]);
  const stop = async (): Promise<void> => {
    for (const server of started) if (server.status === 'fulfilled') await server.value();
  };
  const failure = started.find(({ status }) => status === 'rejected');
  if (failure?.status !== 'rejected') return stop;
  await stop();
  throw failure.reason;
}
