import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { createApplication } from '@workledger/shared/http/application.ts';
import { createHealth } from '@workledger/shared/http/health.ts';
import { startServer } from '@workledger/shared/http/server.ts';
import { authenticateBySecret } from '@workledger/shared/security/shared-secret.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { startProgram, type Program } from '@workledger/infra/testing/processes/program.ts';
import type { Performer } from '../components/catalogue.ts';
import { serveCalls } from './serve-calls.ts';

export const SECRET = '5e'.repeat(32);

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = await startServer(() => undefined, { host: '127.0.0.1', port: 0 });
  await server.stop(0);
  return server.port;
}

/** A runner in the test's own process. */
export async function serveRunner(perform: Performer, finishMilliseconds: () => number = () => 100) {
  const { logger, lines } = captureLog();
  const draining = new AbortController();
  const calls = serveCalls({ perform, draining: draining.signal, finishMilliseconds });
  const application = createApplication({
    routes: [...createHealth({ checks: {}, logger }).routes, ...calls.routes],
    authenticate: authenticateBySecret(SECRET, 'sagas', 'service'),
    logger,
    title: 'runner',
    version: '1',
  });
  const server = await startServer(application, { host: '127.0.0.1', port: 0 });
  return {
    url: server.url,
    lines,
    /** As runService does at SIGTERM: new calls are refused, then what is in hand ends. */
    drain: () => draining.abort(),
    close: async () => {
      await server.stop(0);
      await calls.stop();
    },
  };
}

/** A runner as a process, with no variable but those that it needs. @param environment those of agents, and PORT */
export async function startRunner(
  folder: string,
  configuration: Pick<Configuration, 'repositories' | 'agents'>,
  environment: Readonly<Record<string, string>>,
): Promise<Program> {
  const file = (name: string): string => join(folder, name);
  await writeFile(file('runner-key'), SECRET, { mode: 0o600 });
  // Agents of tests tell by files of the test how far they are.
  await writeFile(file('workledger.json'), JSON.stringify({ ...configuration, sandbox: 'off' }));
  const variables = {
    DRAIN_SECONDS: '5',
    ...environment,
    WORKLEDGER_CONFIG: file('workledger.json'),
    RUNNER_KEY_FILE: file('runner-key'),
    DATA_FOLDER: file('data'),
  };
  const program = startProgram('sagas/runner/main.ts', [], { environment: variables });
  await program.until(/"msg":"started"/);
  return program;
}
