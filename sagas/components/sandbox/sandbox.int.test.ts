import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventuallyGone } from '@workledger/infra/testing/processes/processes.ts';
import { ProcessNotStarted } from '../process/run-process.ts';
import { createShellWorld, describeWithSandbox } from './testing.ts';

let world: Awaited<ReturnType<typeof createShellWorld>>;
let host: Server;
let asked: string[] = [];
let port: string;
beforeAll(async () => {
  host = createHttpServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('from the host');
  }).listen(0, '127.0.0.1');
  await once(host, 'listening');
  port = String((host.address() as AddressInfo).port);
});
afterAll(() => void host.close());
beforeEach(async () => {
  world = await createShellWorld();
  asked = [];
});
afterEach(() => world.dispose());

describeWithSandbox('what an agent does not get', () => {
  test('admin key, data folder, other attempts, the operator, the secrets of the system, the parent', async () => {
    const { dataFolder, ofOperator } = world;
    const script = `
      cat "$1/admin-key" "$1/worktrees/other/private" "$2/private" /etc/shadow "/proc/$3/environ" 2>/dev/null
      ls -A "$1" "$1/worktrees" "$1/homes" /home /run /var /tmp ~/.ssh 2>/dev/null | grep -v '^/\\|^$'
      ls -A "$(dirname "$2")" | grep -v '^\\.\\(pyenv\\|cargo\\|rustup\\|nvm\\)$'
      tr '\\0' '\\n' </proc/1/environ | grep -c VITEST
      ls /proc | grep -c '^[0-9]*$'`;
    const { lines, exitCode } = await world.run(script, { args: [dataFolder, ofOperator, String(process.pid)] });
    expect(exitCode).toBe(0);
    // Of the data folder: the way to its own. Of processes: bubblewrap, this shell, and the pipeline's own.
    const own = [
      'homes',
      'temporary',
      'worktrees',
      'own-temporary',
      // Lent, to be read.
      'origin.git',
      'own',
      'shell',
      'workledger-',
      ...world.folder.split('/').slice(1),
    ];
    expect(lines.slice(0, -2).filter((line) => !own.includes(line))).toEqual([]);
    expect(lines.at(-2)).toBe('0');
    expect(Number(lines.at(-1))).toBeLessThanOrEqual(6);
    expect(existsSync(join(ofOperator, 'private'))).toBe(true);
  });

  test('writing anywhere but in its own folders', async () => {
    const script = `for at in / /usr /etc /bin /opt /home /root /run /var /sys /proc/sys/kernel "$1" "$1/worktrees" "$1/worktrees/other" /dev; do
        { echo x >"$at/.workledger-trial"; } 2>/dev/null && echo "wrote $at"; done
      find /proc /sys -regex '/proc/[0-9]+' -prune -o -type f -writable -print 2>/dev/null
      mount -o remount,rw / 2>/dev/null && echo 'remounted'; umount /root 2>/dev/null && echo 'unmounted'
      unshare -Urm sh -c 'mount -o remount,rw,bind / || umount /root || mount -t proc proc /proc' 2>/dev/null && echo 'changed mounts'
      for at in . ~ "$TMPDIR" /tmp /dev/shm; do echo x >"$at/trial" && echo "own $at"; done`;
    const { lines } = await world.run(script, { args: [world.dataFolder] });
    const temporary = join(world.dataFolder, 'worktrees', 'own-temporary');
    expect(lines).toEqual([
      'own .',
      `own ${world.dataFolder}/homes/shell`,
      `own ${temporary}`,
      'own /tmp',
      'own /dev/shm',
    ]);
    expect(existsSync('/tmp/trial')).toBe(false);
  });

  test('ports of this machine and Unix sockets, whose names it knows', async () => {
    const sockets = ['/tmp', '/var/tmp', homedir()].map((folder) => join(folder, `workledger-${process.pid}.sock`));
    const listening = sockets.map((path) => createServer((socket) => socket.end('from the host')).listen(path));
    const abstract = createServer((socket) => socket.end('from the host')).listen(`\0workledger-${process.pid}`);
    await Promise.all([...listening, abstract].map((server) => once(server, 'listening')));
    try {
      const script = `socat -u TCP:127.0.0.1:$1 - ; curl -s --max-time 2 http://127.0.0.1:$1/; curl -s --max-time 2 http://1.1.1.1/
        shift; for at; do socat -u "UNIX-CONNECT:$at" -; done; socat -u "ABSTRACT-CONNECT:workledger-${process.pid}" -
        getent hosts example.org; ls /run/docker.sock /tmp/.X11-unix; true`;
      const { stdout } = await world.run(script, { args: [port, ...sockets] });
      expect(stdout.toString()).toBe('');
      expect(asked).toEqual([]);
    } finally {
      for (const server of [...listening, abstract]) server.close();
    }
  });

  test('a host that nobody named, nor this machine under the name of one that somebody did', async () => {
    const script = `curl -s -o /dev/null -w '%{http_code} ' --noproxy '' http://$1/one
      curl -s -o /dev/null -w '%{http_connect} ' --noproxy '' -p http://outside.localhost:$2/two
      curl -s -o /dev/null -w '%{http_code}' --noproxy '' http://workledger:$2/three; true`;
    const agent = { allowHosts: ['example.org', 'outside.localhost:1'] };
    const { text } = await world.run(script, { agent, args: [`127.0.0.1:${port}`, port], api: `127.0.0.1:${port}` });
    expect(text).toBe('403 403 403');
    expect(asked).toEqual([]);
  });
});

describeWithSandbox('what an agent gets', () => {
  test('hosts that it or its repository names, and the API when it names that', async () => {
    const script = `curl -s --noproxy '' http://127.0.0.1:$1/one; curl -s --noproxy '' -p http://localhost:$1/two
      curl -s --noproxy '' --socks5-hostname "\${ALL_PROXY#socks5h://}" http://localhost:$1/three
      curl -s "$WORKLEDGER_URL/four"; ps -o comm= --ppid $$; true`;
    const agent = { allowHosts: [`127.0.0.1:${port}`, 'workledger'] };
    const repository = { allowHosts: ['localhost'] };
    const { text } = await world.run(script, { agent, repository, args: [port], api: `127.0.0.1:${port}` });
    expect(asked).toEqual(['/one', '/two', '/three', '/four']);
    expect(text).toBe(`${'from the host'.repeat(4)}ps`);
  });

  test('git, node, python and a server on a loopback of its own, twice at once on one port', async () => {
    const script = `set -e
      git init -q . && git config user.name a && git config user.email a@b && echo x >file && mkdir -p .claude .vscode .git/hooks
      echo '{}' >.claude/settings.json; echo x >.vscode/x; echo x >.bashrc; echo '#!/bin/sh' >.git/hooks/pre-push
      git add -A && git commit -q -m one && git log --format=%s && git ls-files | wc -l
      node -e 'const s = require("http").createServer((q, r) => r.end("served")).listen(39127, "127.0.0.1", async () => {
        console.log(await (await fetch("http://127.0.0.1:39127")).text()); setTimeout(() => s.close(), 300); })'
      python3 -c 'import multiprocessing, tempfile; print(tempfile.gettempdir() == "'"$TMPDIR"'", multiprocessing.Pool(2).map(abs, [-1]))'`;
    const second = await createShellWorld();
    const results = await Promise.all([world.run(script), second.run(script)]);
    await second.dispose();
    for (const { text } of results) expect(text.split('\n')).toEqual(['one', '4', 'served', 'True [1]']);
  });

  test('a home of its own that is kept, another one than those of the repository and of other agents', async () => {
    await world.run('mkdir -p ~/.npm && echo cached >~/.npm/one');
    expect((await world.run('cat ~/.npm/one')).text).toBe('cached');
    expect((await world.run('ls -A ~', { agent: null })).text).toBe('');
    expect((await world.run('ls -A ~', { agent: { name: 'another/one' } })).text).toBe('');
    expect(readdirSync(join(world.dataFolder, 'homes')).sort()).toEqual(['.repository-shop', 'another+one', 'shell']);
    expect(statSync(join(world.dataFolder, 'homes', 'shell')).mode & 0o077).toBe(0);
  });

  test('what "read" and "write" name, also below ~, whatever it left there before', async () => {
    const { ofOperator } = world;
    const name = ofOperator.slice(homedir().length + 1);
    writeFileSync(join(ofOperator, 'own'), '');
    const script = `cat ~/$1/private "$2/private"; { echo more >>~/$1/private; } 2>/dev/null || echo read-only`;
    const args = [name, ofOperator];
    // Its two streams come in any order.
    const hidden = await world.run(script, { args });
    expect(hidden.stdout.toString()).toBe('read-only\n');
    expect(hidden.stderr.toString()).toMatch(/^(cat: .*No such file.*\n){2}$/);
    await world.run(`mkdir ~/${name}; echo mine >~/${name}/mine; ln -s /etc ~/x`);
    const read = await world.run(script, { args, agent: { read: [`~/${name}`] } });
    expect(read.text).toBe('of the operatorof the operatorread-only');
    const write = await world.run(script, { args, agent: { write: [ofOperator] } });
    expect(write.text).toBe('of the operatorof the operator');
    expect(readFileSync(join(ofOperator, 'private'), 'utf8')).toBe('of the operatormore\n');
    // The repository's own commands do not get what the agent was given.
    expect((await world.run(script, { args, agent: null })).text).toMatch(/No such file/);
  });

  test('its program where the configuration names it, and exit codes as they are', async () => {
    const program = join(world.ofOperator, 'agent.sh');
    writeFileSync(program, 'echo "$0"; exit 3');
    const command = ['/bin/sh', program];
    expect(await world.run('', { command })).toMatchObject({ exitCode: 3, ended: 'exit', text: program, limit: null });
    await expect(world.run('', { command: ['no-such-program'] })).rejects.toThrow(ProcessNotStarted);
    await expect(world.run('', { command: ['no-such-program'] })).rejects.toThrow(
      /"no-such-program" in the sandbox: not found/,
    );
  });
});

describeWithSandbox('everything that it started', () => {
  const daemon = `cd / && (setsid setsid env -i sh -c 'sleep 600' >/dev/null 2>&1 &)`;
  const sleeping = (): number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => commandOf(pid).startsWith('sleep\x00600'))
      .map(Number);

  test('ends with it, with its time, and with SIGTERM first', async () => {
    expect((await world.run(`${daemon}; sleep 0.1; echo done`)).text).toBe('done');
    expect(sleeping()).toEqual([]);
    const late = await world.run(`trap 'echo asked; exit 0' TERM; ${daemon}; while :; do sleep 0.05; done`, {
      timeoutMs: 700,
    });
    expect(late).toMatchObject({ ended: 'timeout', lines: ['asked'] });
    const deaf = await world.run(`trap '' TERM; ${daemon}; while :; do sleep 0.05; done`, { timeoutMs: 300 });
    expect(deaf).toMatchObject({ ended: 'timeout' });
    expect(sleeping()).toEqual([]);
  });

  test('ends when somebody else ends the attempt', async () => {
    let first = 0;
    const running = world.run(`${daemon}; sleep 600`, { onStart: (pid) => void (first = pid) });
    await expect.poll(() => sleeping().length, { timeout: 5_000 }).toBe(2);
    process.kill(first, 'SIGKILL');
    await running;
    expect(await eventuallyGone(first)).toBe(true);
    await expect.poll(sleeping, { timeout: 2_000 }).toEqual([]);
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
