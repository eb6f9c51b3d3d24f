import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { createCheckedOrigin, git } from '../testing/repository/git.ts';
import { scriptAgent } from '../testing/repository/shell-repository.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask, type Task } from '../testing/system/tasks.ts';

/** Repositories where every task adds a file of its own, named by its own words: nothing conflicts, and each moves the base for all others. */
const policies = [
  ['fast-forward', 10],
  ['squash', 2],
] as const;
const work = `name=$(sed -n 's/^# Part /part-/p' | head -n 1); echo "$name" > "$name"\n`;
/** Wants each file to hold its own name. */
const check = 'for part in part-*; do [ -e "$part" ] || continue; [ "$(cat $part)" = "$part" ]; done\n';

let folder: SystemFolder;
let system: RunningSystem;

beforeAll(async () => {
  folder = await systemFolder();
  const repositories = policies.map(([merge]) => {
    const origin = createCheckedOrigin(folder.path, merge, check);
    return { name: merge, url: origin, baseBranch: 'trunk', test: ['sh', 'check'], protectedPaths: ['check'], merge };
  });
  system = await startInFolder(folder.path, {
    repositories,
    agents: [scriptAgent('parts', work, { capacity: 4 })],
  });
}, 60_000);
afterAll(() => folder.remove());

test.each(policies)(
  'with %s, %i tasks at once on one repository, four of them worked on at a time, are all merged',
  async (policy, count) => {
    const titles = Array.from({ length: count }, (_, index) => `Part ${index + 1}`);
    const ids = await Promise.all(
      titles.map((title) => createTask(system.client, policy, { title, capabilities: ['parts'] })),
    );
    // One after the other: to ask for all at once, ten times a second each, would be most of the work.
    const tasks: Task[] = [];
    for (const id of ids) tasks.push(await finalTask(system.client, id));
    expect(tasks.map(({ state, failure }) => ({ state, failure }))).toEqual(
      titles.map(() => ({ state: 'complete', failure: null })),
    );
    const origin = join(folder.path, `${policy}.git`);
    const landed = git(origin, 'log', '--format=%s', 'trunk').split('\n');
    expect(landed.toSorted()).toEqual(['First', ...titles].toSorted());
    const files = git(origin, 'ls-tree', '--name-only', 'trunk').split('\n');
    expect(files).toHaveLength(count + 1);
    for (const { result } of tasks) {
      expect(result?.merged).toBe(true);
      git(origin, 'merge-base', '--is-ancestor', result?.commit ?? '', 'trunk');
    }
    const { body } = await system.client.expect2xx('GET', '/merge-queues?sort=started&limit=100');
    const places = (body['items'] as { taskId: string; state: string; turnBeganAt: string; endedAt: string }[]).filter(
      ({ taskId }) => ids.includes(taskId),
    );
    expect(places.map(({ state }) => state)).toEqual(titles.map(() => 'merged'));
    // One after the other: nobody's turn began before the one before it had ended.
    const turns = places.map(({ turnBeganAt, endedAt }) => [Date.parse(turnBeganAt), Date.parse(endedAt)] as const);
    for (const [index, [began]] of turns.entries())
      if (index > 0) expect(began).toBeGreaterThanOrEqual(turns[index - 1]?.[1] ?? Infinity);
  },
  240_000,
);
