import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { git } from '@workledger/infra/testing/repository/git.ts';
import type { Scripted } from '@workledger/infra/testing/models/scripted-model.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { ResultOf } from '../catalogue.ts';
import { describeWithSandbox } from '../sandbox/testing.ts';
import { Unfit } from '../state.ts';
import { createTrials } from '../try-program.ts';
import { installedAutogenlib } from './autogenlib.ts';
import { createGenerationWorld } from './testing.ts';

/**
 * As autogenlib 0.1.3 does: one request as an import is found, checked by its grammar and run in this process; what fails is no module. The
 * description is the one that there was when its finder was loaded.
 */
const FAKE = {
  '_state.py': `description = "A useful library."\n`,
  '_finder.py': `import ast, importlib.abc, importlib.machinery, json, os, urllib.request
from ._state import description

def generate_code(fullname):
    body = {"model": os.environ.get("OPENAI_MODEL", "gpt-4.1"), "temperature": 0.1, "messages": [
        {"role": "system", "content": "You write Python modules."}, {"role": "user", "content": description}]}
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
    asked = urllib.request.Request(os.environ["OPENAI_API_BASE_URL"] + "/chat/completions", json.dumps(body).encode(), headers)
    try:
        code = json.load(urllib.request.urlopen(asked))["choices"][0]["message"]["content"].strip()
        ast.parse(code)
        return code
    except Exception:
        return None

class Loader(importlib.abc.Loader):
    def __init__(self, code): self.code = code
    def create_module(self, spec): return None
    def exec_module(self, module): exec(self.code, module.__dict__)

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if not fullname.startswith("autogenlib."): return None
        code = generate_code(fullname)
        return None if code is None else importlib.machinery.ModuleSpec(fullname, Loader(code))
`,
  '__init__.py': `import sys
from ._finder import Finder
sys.excepthook = lambda *_: Finder().find_spec("autogenlib.mend", None)
def init(desc=None, enable_exception_handler=None, enable_caching=None):
    from . import _state
    if desc is not None: _state.description = desc
    if not any(isinstance(one, Finder) for one in sys.meta_path): sys.meta_path.insert(0, Finder())
init()
`,
} as const;

const folder = mkdtempSync(join(tmpdir(), 'workledger-autogenlib-'));

/** The Python that is here, as one that says of itself what this says. @param first shell that it runs before it answers */
function interpreter(name: string, says: object, first = ':'): string {
  const told = execFileSync('python3', [
    '-c',
    'import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix]))',
  ]);
  const [python = '', ...prefixes] = JSON.parse(told.toString()) as string[];
  const packages = join(folder, 'packages', 'autogenlib');
  mkdirSync(packages, { recursive: true });
  for (const [file, text] of Object.entries(FAKE)) writeFileSync(join(packages, file), text);
  const answer = JSON.stringify({ python: [3, 12], autogenlib: '0.1.3', prefixes: [folder, ...prefixes], ...says });
  const path = join(folder, name);
  const asked = `case "$3" in *version_info*) ${first}; echo '${answer}'; exit 0;; esac`;
  writeFileSync(path, `#!/bin/sh\n${asked}\nshift\nPYTHONPATH=${join(folder, 'packages')} exec ${python} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A real one, where somebody names its interpreter. */
const python = process.env['WORKLEDGER_TEST_AUTOGENLIB'] ?? interpreter('python', {});
const sandbox = { hidden: [], api: null };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Result = ResultOf<'generation.chat'>;

describeWithSandbox('a model that writes through autogenlib', () => {
  let world: Awaited<ReturnType<typeof createGenerationWorld>>;
  let answer: Scripted = { text: '' };
  let number = 0;
  beforeAll(async () => {
    const generate = { models: ['fast'], autogenlib: { python } };
    world = await createGenerationWorld(() => answer, { sandbox }, { generate });
  });
  afterAll(() => world?.dispose());
  beforeEach(() => void number++);

  const ask = (): Promise<Result> => {
    const label = `generate-${number}-1`;
    const prompt = { purpose: 'generate' as const, feedback: null, metrics: null, earlier: [label] };
    const request = { model: 'fast', parent: world.base, label, prompt };
    return world.call<Result>('generation.chat', request, undefined, `saga-1/${label}`);
  };
  const failing = async (): Promise<ComponentFailure> => {
    const error: unknown = await ask().catch((reason: unknown) => reason);
    if (error instanceof ComponentFailure) return error;
    throw new Error('it did not fail', { cause: error });
  };
  const files = (of: object): string => `FILES = ${JSON.stringify(of).replaceAll('null', 'None')}`;

  it('is asked once by us, and the files that its module names are a commit, with its price', async () => {
    const mended = 'export const add = (a, b) => a + b;\n';
    answer = { text: `print("noise")\n${files({ 'src/add.mjs': mended, 'docs/add.md': '# Add' })}` };
    const before = world.model.asked.length;
    const result = await ask();
    expect(git(world.bare, 'show', `${result.commit}:src/add.mjs`)).toBe(mended.trim());
    expect(git(world.bare, 'show', `${result.commit}:docs/add.md`)).toBe('# Add');
    expect(result).toMatchObject({ costUsd: 0.02, agent: { turns: 1 } });
    expect(world.model.asked).toHaveLength(before + 1);
    const { model, messages } = world.model.asked.at(-1)!.body;
    expect(model).toBe('scripted-1');
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(messages[1]?.content).toMatch(/define one constant, FILES[^]*# Fix add[^]*@@@ FILE src\/add.mjs/);
    // The same call again, as after a kill, is told what was answered.
    expect((await ask()).commit).toBe(result.commit);
    expect(world.model.asked).toHaveLength(before + 1);
  });

  it('runs what was written in a sandbox, without the data folder and without a network', async () => {
    const look = `import os, socket\ntry:\n    socket.create_connection(("1.1.1.1", 53), 2)\n    reached = "yes"\nexcept OSError:\n    reached = "no"
FILES = {"seen.txt": reached + " " + str(os.path.exists(${JSON.stringify(join(world.dataFolder, 'attempts'))})) + " " + str("VITEST" in os.environ)}`;
    answer = { text: look };
    const { commit } = await ask();
    expect(git(world.bare, 'show', `${commit}:seen.txt`)).toBe('no False False');
  });

  it.each([
    ['this is no Python', /autogenlib wrote no module/],
    ['x = 1', /the module that was written has no FILES/],
    ['raise ValueError("odd")', /ValueError: odd/],
    [files({ '../outside': 'x' }), /is no plain path/],
    ['import os\nos._exit(3)', /autogenlib 0\.1\.3: /],
  ])('fails with what it cost where it answers %j', async (text, why) => {
    answer = { text };
    const failed = await failing();
    expect(failed.failure.reason).toMatch(why);
    expect(failed).toMatchObject({ costUsd: 0.02, retryable: false, fault: 'work' });
  });

  it('fails as it does without where the model refuses', async () => {
    answer = { status: 401 };
    expect((await failing()).failure.reason).toContain('answers 401');
  });
});

describeWithSandbox('the interpreter of autogenlib', () => {
  const place = { dataFolder: join(folder, 'data'), sandbox };
  const look = (path: string, at: Parameters<typeof installedAutogenlib>[1] = place) =>
    installedAutogenlib(path, at, new AbortController().signal, createTrials());

  it.each([
    ['is too old', { python: [3, 11] }, 'the interpreter of autogenlib is Python 3.11: it needs 3.12 or newer'],
    ['lacks it', { autogenlib: null }, 'the interpreter of autogenlib has no package "autogenlib"'],
  ])('that %s is none', async (name, says, why) => {
    await expect(look(interpreter(name.replaceAll(' ', '-'), says))).rejects.toThrow(why);
  });

  it('that is not there is none, and without a sandbox nothing of it is run', async () => {
    await expect(look(join(folder, 'none'))).rejects.toThrow(/is not there/);
    await expect(look(python, { ...place, sandbox: null })).rejects.toBeInstanceOf(Unfit);
    expect(await look(python)).toMatchObject({ version: '0.1.3' });
  });

  it('is found as the link that it is in a virtual environment', async () => {
    const environment = join(folder, 'environment');
    for (const part of ['bin', 'lib/python3.12'])
      for (const at of [environment, join(folder, 'base')]) mkdirSync(join(at, part), { recursive: true });
    const link = join(environment, 'bin', 'python');
    symlinkSync(interpreter('base/bin/python', {}), link);
    expect(await look(link)).toMatchObject({ python: link, version: '0.1.3' });
  });

  it('is asked in the sandbox: it sees no data, and writes nothing that is left', async () => {
    mkdirSync(place.dataFolder, { recursive: true });
    writeFileSync(join(place.dataFolder, 'secret'), 'x');
    const left = join(folder, 'left');
    const tries = `cat '${join(place.dataFolder, 'secret')}' && exit 1; touch '${left}'`;
    const curious = interpreter('curious', {}, tries);
    expect(await look(curious)).toMatchObject({ python: curious });
    expect(existsSync(left)).toBe(false);
  });
});

it('without a sandbox the model is asked by us alone', async () => {
  const generate = { models: ['fast'], autogenlib: { python } };
  const text = '@@@ FILE src/add.mjs\nexport const add = (a, b) => a + b;\n@@@ END\n';
  const world = await createGenerationWorld(() => ({ text }), { sandbox: null }, { generate });
  try {
    const prompt = { purpose: 'generate' as const, feedback: null, metrics: null };
    const request = { model: 'fast', parent: world.base, label: 'generate-1-1', prompt };
    expect((await world.call<Result>('generation.chat', request)).diffStat.files).toBe(1);
  } finally {
    await world.dispose();
  }
});
