import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { AgentConfiguration, Repository } from '@workledger/shared/config/schema.ts';
import type { Checkout } from '../git/checkout.ts';
import type { SandboxPolicy } from './bubblewrap.ts';

/** That programs run in a sandbox in this process, and what all sandboxes have in common. */
export type Sandbox = {
  /** Absolute; hidden beside the data folder: files with secrets. */
  readonly hidden: readonly string[];
  /** `host:port` of Workledger's own API; null: it has none that could be named. */
  readonly api: string | null;
};

type Call = {
  readonly environment: { readonly sandbox?: Sandbox | null | undefined; readonly dataFolder: string };
  readonly repository: Repository;
};

/**
 * What a program may see, write and reach that an attempt runs in its checkout: the agent with its own home, or, without one, a command of
 * the repository. `home: 'setup'`: that of `setup` on the base, where nothing of an attempt ever ran.
 * @returns null where there is no sandbox
 */
export function sandboxFor(
  { environment, repository }: Call,
  { agent, home }: { readonly agent?: AgentConfiguration | undefined; readonly home?: 'setup' | undefined },
  { path, temporary, mirror }: Pick<Checkout, 'path' | 'temporary' | 'mirror'>,
): SandboxPolicy | null {
  const { sandbox, dataFolder } = environment;
  if (!sandbox) return null;
  const both = agent === undefined ? [repository] : [repository, agent];
  const paths = (name: 'read' | 'write'): string[] => both.flatMap((one) => opened(one, name));
  const hosts = [...new Set(both.flatMap(({ allowHosts }) => allowHosts))];
  return {
    writable: [path, temporary, ...paths('write')],
    readable: [mirror.originFolder, ...paths('read')],
    home: homeOf(dataFolder, agent === undefined ? `.${home ?? 'repository'}-${repository.name}` : agent.name),
    // Only an agent speaks to Workledger.
    hosts: agent?.allowHosts.includes('workledger') ? hosts : hosts.filter((host) => host !== 'workledger'),
    limits: (agent ?? repository).limits,
    temporary,
    hidden: [dataFolder, ...sandbox.hidden],
    ...(sandbox.api === null ? {} : { api: sandbox.api }),
  };
}

/** A name may hold a slash, which folders of one level do not. */
const homeOf = (dataFolder: string, name: string): string => join(dataFolder, 'homes', name.replaceAll('/', '+'));

/** Paths that a registration opens beside. */
export const opened = (one: Pick<Repository, 'read' | 'write'>, name: 'read' | 'write'): string[] =>
  one[name].map(absolute);

const absolute = (path: string): string => (/^~(\/|$)/.test(path) ? join(homedir(), path.slice(1)) : resolve(path));
