import { resolve } from 'node:path';
import { createLive } from '@workledger/shared/config/live.ts';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import {
  configurationVariables,
  drainVariables,
  runnerVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { authenticateBySecret, readSecretFile } from '@workledger/shared/security/shared-secret.ts';
import { runService } from '@workledger/shared/service/run-service.ts';
import { createPerformer } from '../components/catalogue.ts';
import { openSandbox } from '../components/sandbox/open.ts';
import { watchPrograms } from './programs.ts';
import { serveCalls } from './serve-calls.ts';

void runService({
  name: 'runner',
  summary:
    'Does what sagas ask for on code: agents, git, tests. Knows no database, no log, no bus and no key but the one it shares with sagas.',
  variables: { ...serverVariables(8086), ...configurationVariables, ...runnerVariables, ...drainVariables },
  dependencies: [],
  start: async (service) => {
    const { environment, logger, draining } = service;
    const loaded = await loadConfiguration(environment.WORKLEDGER_CONFIG);
    const { folder } = loaded;
    const live = createLive(loaded);
    const configuration = live.view('runner');
    const dataFolder = resolve(environment.DATA_FOLDER);
    const secretFiles = [resolve(environment.RUNNER_KEY_FILE)];
    const { sandbox, line } = await openSandbox(configuration, { folder, dataFolder, secretFiles });
    logger[sandbox === null ? 'warn' : 'info'](`sandbox: ${line}`);
    const secret = await readSecretFile(environment.RUNNER_KEY_FILE);
    const perform = createPerformer({ configuration, dataFolder, logger, sandbox }, live);
    service.tell(live.facts);
    const calls = serveCalls({
      ...{ perform, draining },
      finishMilliseconds: () => 1_000 * (environment.DRAIN_SECONDS ?? configuration.drainSeconds),
    });
    const programs = watchPrograms(configuration, { dataFolder, sandbox }, { logger });
    service.serve([...calls.routes, ...programs.routes], authenticateBySecret(secret, 'sagas', 'service'));
    service.run(calls);
    service.run(programs);
  },
});
