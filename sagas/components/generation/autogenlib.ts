import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { ComponentFailure } from '../../engine/component.ts';
import type { CodeAttempt } from '../code/code-component.ts';
import { failureOf, lastLines } from '../failures.ts';
import { chatHandler } from '../models/chat-handler.ts';
import type { ChatAsked, Models } from '../models/models.ts';
import { findExecutable } from '../process/executable.ts';
import { childEnvironment, ProcessNotStarted } from '../process/run-process.ts';
import { type Endpoint, openEndpoint, refusal } from '../sandbox/endpoint.ts';
import type { SandboxPolicy } from '../sandbox/bubblewrap.ts';
import { Unfit } from '../state.ts';
import { createTrials, tryProgram, type TrialPlace } from '../try-program.ts';

const LEAST_PYTHON = [3, 12] as const;
const SECONDS = 900;
const OUTPUT_BYTES = 4_000_000;
/** It asks once; its client tries again where that fails. */
const MOST_REQUESTS = 4;
const DRIVER = readFileSync(new URL('autogenlib.py', import.meta.url), 'utf8');
const CHAT = '/v1/chat/completions';

/** autogenlib as an interpreter has it. */
export type Installed = {
  readonly python: string;
  readonly version: string;
  readonly prefixes: readonly string[];
};

const ASK = `import importlib.metadata, json, sys
try:
    has = importlib.metadata.version("autogenlib")
except importlib.metadata.PackageNotFoundError:
    has = None
print(json.dumps({"python": list(sys.version_info[:2]), "autogenlib": has, "prefixes": sorted({sys.prefix, sys.base_prefix})}))`;
const asked = z.object({
  python: z.tuple([z.int(), z.int()]),
  autogenlib: z.string().nullable(),
  prefixes: z.array(z.string()),
});

const kept = createTrials();

/** What an interpreter of the configuration has; nothing of autogenlib is run for that. @throws Unfit where it cannot be used */
export async function installedAutogenlib(
  python: string,
  { dataFolder, sandbox }: TrialPlace,
  signal: AbortSignal,
  trials = kept,
): Promise<Installed> {
  // What a model writes is run by the import of it.
  if (!sandbox) throw new Unfit('autogenlib runs in the sandbox alone, and there is none');
  const found = isAbsolute(python) ? await findExecutable(python, '/') : null;
  if (found === null) throw new Unfit('the interpreter of autogenlib is not there, or may not be run');
  const readable = await homeOf(found);
  const said = await trials([found], () =>
    tryProgram({ dataFolder, sandbox }, { command: [found, '-I', '-c', ASK], readable }, signal),
  );
  const { python: has, autogenlib, prefixes } = asked.parse(JSON.parse(said));
  const [least, leastMinor] = LEAST_PYTHON;
  if (has[0] < least || (has[0] === least && has[1] < leastMinor))
    throw new Unfit(
      `the interpreter of autogenlib is Python ${has.join('.')}: it needs ${LEAST_PYTHON.join('.')} or newer`,
    );
  if (autogenlib === null) throw new Unfit('the interpreter of autogenlib has no package "autogenlib"');
  return { python: found, version: autogenlib, prefixes };
}

/** What an interpreter needs before it can say where it lies: itself, its virtual environment, and the Python that this is of. */
async function homeOf(python: string): Promise<readonly string[]> {
  const environment = dirname(dirname(python));
  const settings = await readFile(join(environment, 'pyvenv.cfg'), 'utf8').catch(() => '');
  const base = /^home\s*=\s*(\/.*\S)/m.exec(settings)?.[1];
  const folders = [
    environment,
    dirname(dirname(await realpath(python))),
    ...(base === undefined ? [] : [dirname(base)]),
  ];
  const isPython = async (folder: string): Promise<boolean> =>
    (await readdir(join(folder, 'lib')).catch(() => [])).some((name) => name.startsWith('python3'));
  const found = await Promise.all(folders.map(async (folder) => ((await isPython(folder)) ? [folder] : [])));
  const own = found.flat();
  // Onto a link in a folder that is seen anyway nothing can be laid.
  return own.includes(environment) ? own : [python, ...own];
}

/**
 * Has autogenlib write the code, in the sandbox; its model is one of ours, asked by us, and paid once for the same request.
 * @returns its answer, in the form of a model's @throws ComponentFailure where it wrote nothing that can be taken, and what asking the model throws
 */
export async function askAutogenlib(
  code: CodeAttempt,
  installed: Installed,
  {
    task,
    models,
    asking,
  }: {
    readonly task: string;
    readonly models: Models;
    readonly asking: Omit<ChatAsked, 'request' | 'number' | 'together'>;
  },
): Promise<string> {
  const fail = (why: string, parts: Parameters<typeof failureOf>[2] = {}): never => {
    const failure = failureOf('chat', `autogenlib ${installed.version}: ${why}`, parts);
    throw new ComponentFailure(failure, { retryable: false, fault: 'work' });
  };
  let broken: unknown = null;
  const chat: Models['chat'] = (one) =>
    models.chat(one).catch((error: unknown) => {
      broken = error;
      throw error;
    });
  const answer = chatHandler({ ...models, chat }, asking, { onSpent: () => undefined });
  let requests = 0;
  const endpoint = await openEndpoint({
    [CHAT]: async (body) => {
      requests += 1;
      return requests > MOST_REQUESTS ? refusal(400, 'it asks too often', 'too_often') : answer(body);
    },
  });
  const folder = join(code.environment.dataFolder, 'worktrees', `${code.attempt.id}-autogenlib`);
  try {
    code.attempt.own(folder);
    for (const name of FOLDERS) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    const { exitCode, ended, limit, stdout, stderr } = await code.attempt
      .run({
        // Its HTTP client refuses a SOCKS proxy that it has no package for; that for HTTP is enough.
        command: ['env', '-u', 'ALL_PROXY', '-u', 'all_proxy', installed.python, '-I', '-c', DRIVER],
        ...{ cwd: join(folder, 'work'), stdin: JSON.stringify({ task }), signal: code.signal },
        ...{ timeoutMs: SECONDS * 1_000, maxOutputBytes: OUTPUT_BYTES, graceMs: 0, killStrays: true },
        environment: {
          ...childEnvironment(),
          OPENAI_API_KEY: endpoint.token,
          OPENAI_API_BASE_URL: `http://workledger:${endpoint.port}/v1`,
          OPENAI_MODEL: models.idOf(asking.model),
        },
        sandbox: sandboxOf(code, installed, folder, endpoint),
        limits: code.repository.limits,
      })
      .catch((error: unknown) => {
        if (!(error instanceof ProcessNotStarted)) throw error;
        return fail(error.message);
      });
    code.signal.throwIfAborted();
    if (exitCode === 0 && limit === null) return stdout.toString('utf8');
    if (broken !== null) throw broken as Error;
    return fail(limit !== null ? `over its limit of ${limit}` : (lastLines(stderr, 1)[0] ?? `it ended by ${ended}`), {
      exitCode,
      output: stderr,
    });
  } finally {
    await endpoint.close();
  }
}

const FOLDERS = ['work', 'home'] as const;

/** It sees its interpreter and a folder that goes with the attempt, and reaches us: no repository, no network. */
function sandboxOf(
  { environment: { sandbox, dataFolder }, repository }: CodeAttempt,
  { prefixes }: Installed,
  folder: string,
  { port }: Endpoint,
): SandboxPolicy {
  return {
    ...{ writable: [join(folder, 'work')], readable: prefixes, home: join(folder, 'home') },
    ...{ hosts: ['workledger'], api: `127.0.0.1:${port}`, limits: repository.limits },
    ...{ temporary: join(folder, 'work'), hidden: [dataFolder, ...(sandbox?.hidden ?? [])] },
  };
}
