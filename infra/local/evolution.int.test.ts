import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { createBareOrigin, git } from '../testing/repository/git.ts';
import { createShellRepository, scriptAgent, shellRegistration } from '../testing/repository/shell-repository.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createTask, finalTask } from '../testing/system/tasks.ts';

let folder: SystemFolder;
let origin: string;
let system: RunningSystem;

const greet = (comment: string): string => `printf '#!/bin/sh\\n${comment}echo "Hello, \${1:-world}!"\\n' > bin/greet`;

/** Its first work is broken; of its candidates the shortest says nothing, the next is right, the longest, too. */
const agent = `case "$(cat)" in
  *generate-1-*) echo '# broken' > bin/greet ;;
  *generate-*) ${greet('# much of this could go\\n')} ;;
  *candidate-1.1*) echo ':' > bin/greet ;;
  *candidate-1.2*) ${greet('')} ;;
  *) ${greet('# some\\n')} ;;
esac`;

beforeAll(async () => {
  folder = await systemFolder();
  const person = join(folder.path, 'person');
  createShellRepository(person);
  origin = createBareOrigin(person);
  system = await startInFolder(folder.path, {
    repositories: [
      {
        ...shellRegistration,
        url: origin,
        merge: 'fast-forward',
        evaluate: ['sh', '-c', 'echo "{\\"bytes\\":$(wc -c < bin/greet)}"'],
        evolve: { metric: 'bytes', direction: 'minimize', candidates: 3, generations: 1, measurements: 2 },
      },
    ],
    agents: [scriptAgent('shell', agent, { capacity: 1 })],
  });
}, 60_000);
afterAll(() => folder.remove());

test(
  'a broken start gets no candidate, and a candidate that is fast and wrong does not win',
  { timeout: 90_000 },
  async () => {
    const task = await finalTask(
      system.client,
      await createTask(system.client, 'greeter', { title: 'Greet the world', capabilities: ['shell'] }),
    );
    expect(task).toMatchObject({ state: 'complete', result: { merged: true, metricsAfter: { bytes: 37 } } });
    expect(git(origin, 'show', 'trunk:bin/greet')).toBe('#!/bin/sh\necho "Hello, ${1:-world}!"');
    expect(task.validations.map(({ state }) => state)).toEqual(['passed']);
    expect(task.history.map(({ type }) => type).filter((type) => type === 'TaskSentBack')).toHaveLength(1);
  },
);
