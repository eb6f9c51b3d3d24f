import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeKeyFile } from '@workledger/command-service/key-files/key-files.ts';
import { rejectionOf } from '@workledger/shared/resilience/with-deadline.ts';
import { makeSecretFile } from '@workledger/shared/security/shared-secret.ts';
import { createClosers, type Closers } from '@workledger/shared/service/closers.ts';
import { fail, stopSignal } from '@workledger/shared/service/program.ts';
import { startGateway, type Gateway } from '../../gateway/start-gateway.ts';
import { buildServices } from './build-services.ts';
import { chooseConfiguration, readOptions, type Options } from './options.ts';
import { planServices, serviceEntries } from './plan-services.ts';
import { givenServers, startNativeServers, superviseServer } from './servers.ts';
import { superviseService, type ServicePlan, untilReady } from './service-process.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const options = readOptions();
  const stopAsked = stopSignal();
  const closers = createClosers();
  const failure = await Promise.race([rejectionOf(start(options, closers)), stopAsked.then(() => null)]);
  say(failure === null ? `${await stopAsked}: stopping` : `stopping: ${failure.message}`);
  await closers.close();
  if (failure !== null) fail(failure);
  say('stopped');
  process.exit();
}

/** Starts everything in the order in which the one needs the other. */
async function start({ native, config, data, port, scale }: Options, closers: Closers): Promise<void> {
  const folder = resolve(data, 'distributed');
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true });
  const { configuration, file, isDemo } = await chooseConfiguration(config, folder, resolve(data, 'demo'));
  if (isDemo) say("no workledger.json: the demo's agents and repositories are used");
  const adminKeyFile = join(folder, 'admin-key');
  const serviceKeyFile = join(folder, 'service-key');
  await makeKeyFile(adminKeyFile);
  const runnerKeyFile = join(folder, 'runner-key');
  await makeKeyFile(serviceKeyFile);
  await makeSecretFile(runnerKeyFile);

  const [servers, programOf] = await Promise.all([
    native ? startNativeServers(folder, closers, say) : givenServers(say),
    buildServices(serviceEntries),
  ]);
  const plans = await planServices({
    folder,
    configurationFile: file,
    configuration,
    adminKeyFile,
    serviceKeyFile,
    runnerKeyFile,
    servers: servers.environment,
    scale,
    ports: port === 0 ? 'any' : 'known',
    programOf,
  });
  const services = plans.map((plan) => superviseService(plan, logs, say));
  closers.add(() => Promise.all(services.map((service) => service.stop())));
  await untilReady(plans, say, closers.closing);

  const gateway = await openGateway(plans, port, join(folder, 'gateway'), closers);

  for (const { name, url } of plans) say(`${name.padEnd(18)} ${url}`);
  const api = gateway?.url ?? urlOf(plans, 'query-service');
  const against = gateway === null ? `${urlOf(plans, 'command-service')} --against ${api}` : api;
  say(`Workledger is ready: ${gateway?.url ?? `${urlOf(plans, 'command-service')} and ${api}`}`);
  say(`  admin key    ${adminKeyFile}`);
  say(`  logs         ${logs}`);
  if (isDemo)
    say(`  try it       npm run demo -- --against ${against}${data === '.workledger' ? '' : ` --data ${data}`}`);
}

/** null: there is none on this machine, and it was said how to get it. */
async function openGateway(
  plans: readonly ServicePlan[],
  port: number,
  folder: string,
  closers: Closers,
): Promise<Gateway | null> {
  const start = (before: Gateway | null): Promise<Gateway> =>
    startGateway({
      listen: { host: '127.0.0.1', port: before === null ? port : Number(new URL(before.url).port) },
      commandServices: hostsOf(plans, 'command-service'),
      queryServices: hostsOf(plans, 'query-service'),
      folder,
      log: say,
    }).then((started) => started ?? Promise.reject(new NoGateway()));
  try {
    return await superviseServer<Gateway>('the gateway', start, closers, say);
  } catch (error) {
    if (error instanceof NoGateway) return null;
    throw error;
  }
}

class NoGateway extends Error {
  override name = 'NoGateway';
}

const of = (plans: readonly ServicePlan[], service: string): readonly ServicePlan[] =>
  plans.filter(({ entry }) => entry === `${service}/main.ts`);

const hostsOf = (plans: readonly ServicePlan[], service: string): string[] =>
  of(plans, service).map(({ url }) => new URL(url).host);

const urlOf = (plans: readonly ServicePlan[], service: string): string => of(plans, service)[0]!.url;

main().catch(fail);
