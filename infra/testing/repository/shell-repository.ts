import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitAll, createGitFolder } from './git.ts';

/** Says what `bin/greet` must do: greets by name, and the world when there is none. */
const checks = `#!/bin/sh
set -e
cd "$(dirname "$0")/.."
test "$(bin/greet Ada)" = "Hello, Ada!" || { echo "greet Ada said: $(bin/greet Ada)"; exit 3; }
test "$(bin/greet)" = "Hello, world!" || { echo "greet said: $(bin/greet)"; exit 4; }
echo "all checks passed"
`;

const greet = `#!/bin/sh
echo "Hello, $1!"
`;

/** The same, right. */
const rightGreet = `#!/bin/sh
echo "Hello, \${1:-world}!"
`;

/** A user's repository in another language and layout: shell, tests in \`checks/\`, base branch \`trunk\`. @returns the commit */
export function createShellRepository(folder: string): string {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'checks'));
  writeFileSync(join(folder, 'bin', 'greet'), greet);
  writeFileSync(join(folder, 'checks', 'run'), checks);
  writeFileSync(join(folder, 'NOTES'), 'first\nsecond\nthird\n');
  for (const file of ['bin/greet', 'checks/run']) chmodSync(join(folder, file), 0o755);
  createGitFolder(join(folder, '.git'), 'trunk');
  const identity = '[user]\n\tname = Person\n\temail = person@example.org\n';
  appendFileSync(join(folder, '.git', 'config'), identity);
  return commitAll(folder, 'First');
}

/** How `workledger.json` registers it. */
export const shellRegistration = {
  name: 'greeter',
  baseBranch: 'trunk',
  test: ['sh', 'checks/run'],
  protectedPaths: ['checks'],
  limits: { timeoutSeconds: 30 },
};

/** Configures an agent that is a few lines of shell. */
export const scriptAgent = (name: string, script: string, more: Readonly<Record<string, unknown>> = {}) => ({
  name,
  command: ['/bin/sh', '-c', script],
  capabilities: [name],
  limits: { timeoutSeconds: 30 },
  ...more,
});

/** Shell that does the work right. */
export const writeRightGreet = `cat > bin/greet <<'END'\n${rightGreet}END\n`;
