import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { describeWithSandbox } from '@workledger/sagas/components/sandbox/testing.ts';
import { eventuallyGone, processesOf } from '../testing/processes/processes.ts';
import { createBareOrigin, git } from '../testing/repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { createTask, finalTask, type Task } from '../testing/system/tasks.ts';

/**
 * What is tried, by an agent and by the tests that run what it wrote. Each line that is printed after "got" is something that nobody
 * should get. WHERE is the folder of the system, OPERATOR one in the home of whoever runs it, URL a server outside.
 */
const tries = `
got() { echo "got $*"; }
everywhere() { find / \\( -path /proc -o -path /sys -o -path /usr/lib -o -path /usr/share \\) -prune -o \\( "$@" \\) -print 2>/dev/null; }
for file in $(everywhere -name admin-key -o -name mac-key -o -name service-key -o -name work.git -o -name private-of-operator); do got "$file"; done
cat /etc/shadow >/dev/null 2>&1 && got /etc/shadow
[ "$(ls -d /proc/[0-9]* | wc -l)" -lt 20 ] || got "processes of others"
tr '\\0' '\\n' 2>/dev/null </proc/1/environ | grep -q DATABASE_URL && got "the environment of the parent"
# Below /tmp it writes a /tmp of its own: whether anything came out is looked at from outside.
(echo stolen >"$WHERE/data/stolen") 2>/dev/null
for file in "$OPERATOR/stolen" "$OPERATOR/private-of-operator" /etc/stolen /usr/stolen; do (echo stolen >"$file") 2>/dev/null && got "$file, written"; done
for lent in $(everywhere -name origin.git); do (echo stolen >"$lent/stolen") 2>/dev/null && got "$lent, written"; done
node -e "fetch('$URL').then(() => console.log('got the network'), () => undefined)"
echo tried
`;

/** A submodule, made at the same commit whoever makes it: git looks into such a one by the settings of the repository there. */
const vendor = `
git init --quiet vendor
(cd vendor; GIT_COMMITTER_DATE=2026-01-01T00:00:00Z git -c user.name=a -c user.email=a@b commit --quiet --allow-empty --message x --date 2026-01-01T00:00:00Z)
`;

/** The agent's part: tries, then leaves all that a repository can keep, and a daemon, behind. Its commit brings the tries to the tests. */
const stranger = `
eval "$(grep -E '^(WHERE|OPERATOR|URL)=')"
export WHERE OPERATOR URL
${tries}
cat > bin/tries <<'END'
#!/bin/sh
WHERE='WHERE_IS'; OPERATOR='OPERATOR_IS'; URL='URL_IS'
${tries}
END
sed -i "s|WHERE_IS|$WHERE|; s|OPERATOR_IS|$OPERATOR|; s|URL_IS|$URL|" bin/tries
chmod +x bin/tries
${writeRightGreet}
sed -i '2i "$(dirname "$0")/tries" >\\&2' bin/greet
mkdir -p .github/workflows .git/hooks; echo 'on: push' > .github/workflows/steal.yml
git replace HEAD "$(git commit-tree -m other 'HEAD^{tree}')"
git stash --quiet --include-untracked; git stash apply --quiet
git config core.hooksPath /tmp; git config filter.evil.clean 'touch /tmp/ran'; git tag stolen; git branch stolen
${vendor}
(cd vendor; echo 1 >a; git add a; git config filter.evil.clean "touch '$OPERATOR/stolen'"; echo '* filter=evil' >.gitattributes; touch a)
setsid sh -c 'cd /; exec sleep 4717' >/dev/null 2>&1 &
`;

const honest = `${writeRightGreet}git stash list; git replace; git tag; git branch --list stolen; git config core.hooksPath || true\n`;

describeWithSandbox.each(engines)(
  'an agent, a test or a commit reads and writes nothing but its own, $name',
  (engine) => {
    let system: RunningSystem;
    let pool: ReturnType<typeof createDatabasePool>;
    let outside: Server;
    let asked = 0;
    let operator: string;
    let origin: string;
    let base: string;
    const tasks = new Map<string, Task>();

    beforeAll(async () => {
      outside = createServer((_, response) => {
        asked++;
        response.end();
      });
      await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
      operator = mkdtempSync(join(homedir(), '.workledger-promise-'));
      writeFileSync(join(operator, 'private-of-operator'), 'private');
      const user = join(operator, 'greeter');
      createShellRepository(user);
      execFileSync('sh', ['-ec', vendor], { cwd: user });
      git(
        user,
        'update-index',
        '--add',
        '--cacheinfo',
        `160000,${git(join(user, 'vendor'), 'rev-parse', 'HEAD')},vendor`,
      );
      git(user, 'commit', '--quiet', '--message', 'With a submodule');
      base = git(user, 'rev-parse', 'HEAD');
      origin = createBareOrigin(user);
      // As a host that runs CI sees it: every commit that is pushed to a branch.
      const onPush = `#!/bin/sh
while read -r old new ref; do case $ref in refs/heads/*) git ls-tree -r --name-only "$new" >> pushed.log ;; esac; done
`;
      writeFileSync(join(origin, 'hooks', 'post-receive'), onPush, { mode: 0o755 });
      const agents = [scriptAgent('stranger', stranger), scriptAgent('honest', honest)];
      const repository = { ...shellRegistration, url: origin };
      system = await engine.start({ sandbox: 'required', repositories: [repository], agents }, { storage: 'shared' });
      pool = createDatabasePool({ connectionString: await system.databaseUrl(), max: 2, applicationName: 'promise' });
      const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/`;
      const description = `WHERE=${system.folder}\nOPERATOR=${operator}\nURL=${url}\n`;
      for (const name of ['stranger', 'honest']) {
        const task = { title: `Work of the ${name}`, description, capabilities: [name] };
        tasks.set(name, await finalTask(system.client, await createTask(system.client, 'greeter', task)));
      }
    });
    afterAll(async () => {
      await pool.end();
      await system.dispose();
      outside.close();
      rmSync(operator, { recursive: true, force: true });
    });

    const taskOf = (name: string): Task => tasks.get(name)!;
    const artefact = async (digest: string | undefined): Promise<string> =>
      Buffer.from((await createPostgresArtefacts(pool).get(digest ?? ''))?.bytes ?? Buffer.from('missing')).toString();
    /** What the agent printed. */
    async function outputOf(name: string): Promise<string> {
      const found = await system.client.find<{ items: { id: string }[] }>(`/generations?taskId=${taskOf(name).id}`);
      const id = found?.items[0]?.id ?? '';
      const generation = await system.client.find<{ output: { digest: string } | null }>(`/generations/${id}`);
      return artefact(generation?.output?.digest);
    }

    test('the agent got nothing, and its work is judged like everybody’s', async () => {
      const output = await outputOf('stranger');
      expect(output).toContain('tried\n');
      expect(output.split('\n').filter((line) => line.startsWith('got'))).toEqual([]);
      expect(taskOf('stranger')).toMatchObject({ state: 'complete' });
    });

    test('its code got nothing when the tests ran it', async () => {
      const [validation] = taskOf('stranger').validations;
      const judged = await system.client.find<{ report: { digest: string } }>(`/validations/${validation?.id ?? ''}`);
      const report = await artefact(judged?.report.digest);
      expect(report).toContain('tried\n');
      expect(report.split('\n').filter((line) => line.startsWith('got'))).toEqual([]);
    });

    test('nothing of the operator and of the system was written, and nobody outside was asked', () => {
      expect([join(system.folder, 'data/stolen'), join(operator, 'stolen'), '/etc/stolen'].filter(existsSync)).toEqual(
        [],
      );
      expect(readFileSync(join(operator, 'private-of-operator'), 'utf8')).toBe('private');
      expect(asked).toBe(0);
    });

    test('no branch of the origin has a definition of CI that nobody asked for', () => {
      const branch = taskOf('stranger').result?.branch ?? '';
      const pushed = readFileSync(join(origin, 'pushed.log'), 'utf8').split('\n');
      expect(pushed).toContain('bin/tries');
      expect(pushed.filter((path) => path.startsWith('.github'))).toEqual([]);
      expect(git(origin, 'diff', '--name-only', base, branch).split('\n')).toEqual(['bin/greet', 'bin/tries']);
      expect(git(origin, 'for-each-ref', '--format=%(refname)', 'refs/replace', 'refs/tags', 'refs/stash')).toBe('');
    });

    test('the next attempt sees nothing of what the last one left in its repository', async () => {
      expect(taskOf('honest')).toMatchObject({ state: 'complete' });
      expect(await outputOf('honest')).toBe('');
    });

    test('what it left running has ended', async () => {
      const left = processesOf('sleep 4717');
      expect(await Promise.all(left.map(({ pid }) => eventuallyGone(pid)))).toEqual(left.map(() => true));
    });
  },
);
