import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import { systemFolder } from '../testing/processes/folder.ts';
import { createBareOrigin, createUserRepository } from '../testing/repository/git.ts';
import { scriptAgent } from '../testing/repository/shell-repository.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask } from '../testing/system/tasks.ts';

// So many tasks at once on one repository: each adds a file of its own, so that nothing conflicts and every merge moves the base for all others.
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100' },
    workers: { type: 'string', default: '4' },
    'agent-seconds': { type: 'string', default: '1' },
    policy: { type: 'string', default: 'fast-forward' },
  },
});
const [tasks, workers, agentSeconds] = [values.tasks, values.workers, values['agent-seconds']].map(Number) as [
  number,
  number,
  number,
];
const CHECK = 'for part in part-*; do [ -e "$part" ] || continue; [ "$(cat "$part")" = "$part" ]; done\n';
const WORK = `sleep ${agentSeconds}; name=$(sed -n 's/^# Part /part-/p' | head -n 1); echo "$name" > "$name"`;

const folder = await systemFolder();
try {
  const person = join(folder.path, 'person');
  await mkdir(person);
  createUserRepository(person, { check: CHECK });
  const repository = {
    ...{ name: 'parts', url: createBareOrigin(person), baseBranch: 'main', test: ['sh', 'check'] },
    ...{ protectedPaths: ['check'], merge: values.policy },
  };
  const agents = [scriptAgent('parts', WORK, { capacity: workers })];
  const system = await startInFolder(folder.path, { repositories: [repository], agents });
  const begun = performance.now();
  for (let part = 1; part <= tasks; part++)
    await createTask(system.client, 'parts', { title: `Part ${part}`, capabilities: ['parts'] });
  await allEnded(system);
  const seconds = (performance.now() - begun) / 1_000;
  console.table([tell(await system.client.log(), seconds)]);
  await system.stop();
} finally {
  await folder.remove();
}

/** Waits until no task is under way. Asks for one page at a time: the bench is not to be the load. */
async function allEnded({ client }: RunningSystem): Promise<void> {
  for (let told = performance.now(); ; await pause(1_000)) {
    let ended = 0;
    for await (const { state } of client.list<{ state: string }>('/tasks?limit=100'))
      if (state === 'complete' || state === 'failed') ended++;
    if (ended === tasks) return;
    if (performance.now() - told < 30_000) continue;
    console.log(`${ended} of ${tasks} ended`);
    told = performance.now();
  }
}

function tell(log: readonly EventJson[], seconds: number) {
  const calls = log.flatMap(({ type, data }) => {
    const { effect } = data as { effect?: { component?: string } };
    return type === 'SagaEffectRequested' && effect?.component !== undefined ? [effect.component] : [];
  });
  const aTask = (component: string): number =>
    Number((calls.filter((called) => called === component).length / tasks).toFixed(2));
  const milliseconds = log.reduce(
    (sum, { type, data }) => sum + (type === 'GenerationSucceeded' ? (data as { durationMs: number }).durationMs : 0),
    0,
  );
  // What the agents alone would have taken, as many at a time as there are workers.
  const agentsSeconds = milliseconds / 1_000 / workers;
  return {
    merged: log.filter(({ type, data }) => type === 'TaskCompleted' && (data as Completed).result?.merged).length,
    of: tasks,
    seconds: Number(seconds.toFixed(1)),
    'rebases a task': aTask('code.rebase'),
    'judgements a task': aTask('code.validate'),
    "agents' seconds": Number(agentsSeconds.toFixed(1)),
    ratio: Number((seconds / agentsSeconds).toFixed(1)),
  };
}

type Completed = { readonly result?: { readonly merged?: boolean } };
