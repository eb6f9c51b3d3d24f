import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../system/engine.ts';
import { isAliveOn, killAndWait } from '../processes/processes.ts';
import { createUserRepository, git } from './git.ts';
import { removeFolder, temporaryFolder } from '../processes/folder.ts';

const PROGRAM = fileURLToPath(import.meta.resolve('./workshop.sh'));

export type Note = { readonly what: 'reached' | 'finished'; readonly point: string; readonly pid: number };

/**
 * A repository, an agent and a check that note what they do and can be held: an agent's point is the label of its attempt
 * (`generate-1-1`, `candidate-1.2`), the check's is `test`, a push to the origin's is `publish`, `unpublish` or `merge`.
 */
export type Workshop = {
  /** For the configuration: repository `sample`, agent `worker`. */
  readonly settings: Pick<Settings, 'repositories' | 'agents' | 'sandbox'>;
  /** The bare repository. */
  readonly origin: string;
  /** Whoever comes to this point waits there until `release`. */
  hold(...points: readonly string[]): Promise<void>;
  release(...points: readonly string[]): Promise<void>;
  /** From now on the agent's work does not pass the check. */
  breakWork(): Promise<void>;
  notes(): Promise<readonly Note[]>;
  /** How often somebody came to this point. */
  visits(point: string): Promise<number>;
  /** How often an agent was started, by label. */
  starts(): Promise<Readonly<Record<string, number>>>;
  /** Processes of agents, checks and pushes that still live; only those that came to this point. */
  alive(point?: string): Promise<readonly number[]>;
  git(...args: readonly string[]): Promise<string>;
  dispose(): Promise<void>;
};

export async function createWorkshop(): Promise<Workshop> {
  const folder = await temporaryFolder('workshop');
  const control = join(folder, 'control');
  const origin = join(folder, 'sample.git');
  await mkdir(control);
  await createOrigin(folder, origin, control);

  const notes = async (): Promise<Note[]> =>
    (await readFile(join(control, 'notes'), 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Note);
  const alive = async (point?: string): Promise<number[]> => {
    const there = (await notes()).filter((each) => point === undefined || each.point === point);
    return [...new Set(there.map(({ pid }) => pid))].filter((pid) => isAliveOn(folder, pid));
  };
  const visits = async (point: string): Promise<number> =>
    (await notes()).filter((note) => note.what === 'reached' && note.point === point).length;

  return {
    settings: settingsFor(origin, control),
    origin,
    hold: async (...points) => {
      for (const point of points) await writeFile(join(control, `hold-${point}`), '');
    },
    release: async (...points) => {
      for (const point of points) await rm(join(control, `hold-${point}`), { force: true });
    },
    breakWork: () => writeFile(join(control, 'switch-invalid'), ''),
    notes,
    visits,
    starts: async () => {
      const counts: Record<string, number> = {};
      for (const { what, point } of await notes())
        if (what === 'reached' && /^(generate|candidate)-/.test(point)) counts[point] = (counts[point] ?? 0) + 1;
      return counts;
    },
    alive,
    git: async (...args) => git(origin, ...args),
    dispose: async () => {
      await killAndWait(await alive());
      await removeFolder(folder);
    },
  };
}

const settingsFor = (origin: string, control: string): Workshop['settings'] => ({
  // Its programs are told apart, held and killed by their numbers, which in a sandbox are others.
  sandbox: 'off',
  repositories: [
    {
      name: 'sample',
      url: origin,
      test: ['/bin/sh', PROGRAM, 'check', control],
      evaluate: ['/bin/sh', PROGRAM, 'measure', control],
      evolve: { metric: 'cost', direction: 'minimize', candidates: 3, generations: 1 },
      merge: 'fast-forward',
      limits: { timeoutSeconds: 600 },
    },
  ],
  agents: [{ name: 'worker', command: ['/bin/sh', PROGRAM, 'agent', control], limits: { timeoutSeconds: 600 } }],
});

async function createOrigin(folder: string, origin: string, control: string): Promise<void> {
  const files = join(folder, 'files');
  git(folder, 'init', '--quiet', '--bare', origin);
  createUserRepository(files, { 'work.json': '{"by":"nobody","cost":100,"valid":true}\n' });
  git(files, 'push', '--quiet', origin, 'main');
  await rm(files, { recursive: true });
  await writeFile(join(origin, 'hooks', 'pre-receive'), hookFor(control), { mode: 0o755 });
}

/** A push notes what it is about, and waits where it is held. */
const hookFor = (control: string): string => `#!/bin/sh
while read -r old new ref; do
  case "$ref $new" in
    refs/heads/main*) point=merge ;;
    refs/heads/*\\ 0000000000*) point=unpublish ;;
    refs/heads/*) point=publish ;;
    *) continue ;;
  esac
  echo '{"what":"reached","point":"'$point'","pid":'$$'}' >> '${control}/notes'
  while [ -e '${control}/hold-'$point ]; do sleep 0.02; done
done
`;
