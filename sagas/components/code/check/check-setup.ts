import { randomUUID } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { AgentConfiguration, Configuration, Repository } from '@workledger/shared/config/schema.ts';
import { ComponentFailure, Postponed } from '../../../engine/component.ts';
import type { ComponentEnvironment } from '../../environment.ts';
import { refuse } from '../../failures.ts';
import { type Github, openGithub } from '../../github/github.ts';
import { branchHead, fetchOrigin } from '../../git/commits.ts';
import { LFS, missingLfs, type Needs, needsOf } from '../../git/filters.ts';
import { withoutCredentials } from '../../git/names.ts';
import { findExecutable } from '../../process/executable.ts';
import { type ComponentDefinition, inRun, runComponents } from '../../run-component.ts';
import { openSandbox, trySandbox } from '../../sandbox/open.ts';
import type { Sandbox } from '../../sandbox/policy.ts';
import { checkLimits, type CodeAttempt, codeComponent } from '../code-component.ts';
import { type CommandRun, runCommands } from '../commands.ts';
import { readMetrics } from '../validate.ts';
import { runNamedChecks } from '../named-checks.ts';
import type { CheckRun } from '../run-check.ts';
import { setUp } from '../setup.ts';
import { checkCi, CI_WAIT } from './check-ci.ts';
import { checkInstallation } from './check-installation.ts';
import { checkConfiguration } from './configuration.ts';
import { checkOrigin } from './origin.ts';
import { checkResult, type CheckResult, oneLine } from './result.ts';

/** Tries every repository and every agent of the configuration; tells each result as soon as it is known. */
export async function checkSetup(
  options: { configuration: Configuration; folder: string; dataFolder: string; ciWait?: typeof CI_WAIT },
  tell: (result: CheckResult) => void = () => undefined,
): Promise<CheckResult[]> {
  const { configuration } = options;
  const dataFolder = resolve(options.dataFolder);
  const results: CheckResult[] = [];
  const take = (found: readonly CheckResult[]): void => {
    for (const result of found) tell(result);
    results.push(...found);
  };
  take(await checkConfiguration(configuration, options.folder));
  if (configuration.repositories.length === 0 && configuration.agents.length === 0) return results;
  take(await checkInstallation(configuration, options.folder));
  const sandbox = await checkSandbox({ ...options, dataFolder }, take);
  // What is wrong with the login was told with the configuration.
  const github = await openGithub(configuration, options.folder).catch(() => null);
  // Without the sandbox that they require none of their commands is run, not even to try it.
  for (const repository of sandbox === undefined ? [] : configuration.repositories)
    take([
      ...(await checkRepository({ configuration, dataFolder, sandbox, github }, repository)),
      ...checkEnvironment(subjectOf(repository), repository),
    ]);
  const asPulls = configuration.repositories.filter(({ merge, github }) => merge === 'pull-request' && github !== null);
  if (sandbox !== undefined && asPulls.length > 0) take(await checkPushes({ ...options, dataFolder, github }, asPulls));
  for (const agent of configuration.agents) take(await checkAgent(agent));
  return results;
}

/** Tells what was tried about the sandbox: where it is only wished for, its absence is no failure. @returns undefined where it is required and missing */
async function checkSandbox(
  { configuration, folder, dataFolder }: { configuration: Configuration; folder: string; dataFolder: string },
  take: (found: readonly CheckResult[]) => void,
): Promise<Sandbox | null | undefined> {
  if (configuration.sandbox === 'off') return null;
  const required = configuration.sandbox === 'required';
  const tried = await trySandbox(dataFolder);
  take(
    tried.map(({ subject, ok, detail }) => ({
      subject: `sandbox: ${subject}`,
      ok: ok || !required,
      detail: oneLine(ok || required ? detail : `none, so programs run with your own rights: ${detail}`),
    })),
  );
  if (required && tried.some(({ ok }) => !ok)) return undefined;
  return (await openSandbox({ ...configuration, sandbox: 'auto' }, { folder, dataFolder }, tried)).sandbox;
}

/** Whether an agent's executable is there and may be run. Nothing is started. */
async function checkAgent(agent: AgentConfiguration): Promise<CheckResult[]> {
  const subject = `agent "${agent.name}"`;
  const [executable = ''] = agent.command;
  return [
    { subject: `${subject}: executable`, ...(await tryExecutable(executable)) },
    ...checkEnvironment(subject, agent),
  ];
}

/** Whether the variables are there that are named to be handed on. */
function checkEnvironment(
  subject: string,
  { environment, secrets }: Pick<AgentConfiguration, 'environment' | 'secrets'>,
): CheckResult[] {
  const missing = [...environment, ...secrets].filter((name) => process.env[name] === undefined);
  if (missing.length === 0) return [];
  const detail = `set ${missing.join(', ')}, or do not name it`;
  return [{ subject: `${subject}: environment`, ok: false, detail }];
}

async function tryExecutable(executable: string): Promise<{ ok: boolean; detail: string }> {
  if (executable.includes('/') && !isAbsolute(executable))
    return { ok: false, detail: `"${executable}" would be looked for in the work's own branch: use an absolute path` };
  const found = await findExecutable(executable, '/');
  return found === null
    ? {
        ok: false,
        detail: `"${executable}" is not there or not executable: install it, or name it by an absolute path`,
      }
    : { ok: true, detail: found };
}

/** Whether CI starts on what is pushed to these. */
async function checkPushes(
  {
    configuration,
    dataFolder,
    ciWait = CI_WAIT,
    github,
  }: Parameters<typeof checkSetup>[0] & { readonly github: Github | null },
  repositories: readonly Repository[],
): Promise<CheckResult[]> {
  if (github === null) return [];
  const environment = { configuration, dataFolder, sandbox: null, github };
  const all = repositories.map((one) =>
    tryComponent(checkCi, environment, one, { subject: subjectOf(one), ...ciWait }).then((found) => [found].flat()),
  );
  return (await Promise.all(all)).flat();
}

/** Fetches a repository and runs its commands on the base, in a clean checkout, as they would be run for a task. */
const checkRepository = (
  options: Pick<ComponentEnvironment, 'configuration' | 'dataFolder' | 'sandbox' | 'github'>,
  repository: Repository,
): Promise<CheckResult[]> => tryComponent(check, options, repository) as Promise<CheckResult[]>;

/** A component as it is run, for no task. Its failure is a result, too. */
async function tryComponent(
  definition: ComponentDefinition,
  options: Pick<ComponentEnvironment, 'configuration' | 'dataFolder' | 'sandbox' | 'github'>,
  repository: Repository,
  more: object = {},
): Promise<CheckResult | CheckResult[]> {
  const readTask = () => refuse('check', 'a check works on no task');
  const [component] = runComponents(
    { check: definition },
    { ...options, artefacts: nowhere, readTask, logger: silent },
  );
  const key = `check/${randomUUID()}`;
  const request = { taskId: key, runId: 'check', repository: repository.name, ...more };
  try {
    return (await component?.perform(request as never, { key, signal: new AbortController().signal })) as CheckResult[];
  } catch (error) {
    if (!(error instanceof ComponentFailure) && !(error instanceof Postponed)) throw error;
    return [{ subject: subjectOf(repository), ok: false, detail: oneLine(error.failure.reason) }];
  }
}

const subjectOf = ({ name }: Repository): string => `repository "${name}"`;

/** Runs as components do; no saga calls it. */
const check = codeComponent({
  request: inRun,
  result: z.array(checkResult),
  limits: { turns: checkLimits.turns, seconds: checkLimits.seconds },
  act: async (_request, code) => {
    const { repository, mirror, signal } = code;
    const subject = subjectOf(repository);
    await fetchOrigin(mirror, null, signal);
    const base = await branchHead(mirror, repository.baseBranch);
    if (base === null) return refuse('check', `no branch "${repository.baseBranch}": set "baseBranch"`);
    const found = {
      subject,
      ok: true,
      detail: `${withoutCredentials(repository.url)}, ${repository.baseBranch} at ${base.slice(0, 12)}`,
    };
    const needs = await needsOf(mirror, base, signal);
    const checkout = await code.checkout('check', base);
    const runs = await runCommands(code, checkout, [
      { step: 'setup', command: repository.setup },
      { step: 'test', command: repository.test },
    ]);
    if (runs.every(({ step, problem }) => step !== 'setup' || problem === null))
      runs.push(...(await runCommands(code, checkout, [{ step: 'evaluate', command: repository.evaluate }])));
    const named = await tryChecks(code, base);
    return [
      found,
      ...told(subject, needs),
      ...(await checkOrigin(subject, code, base)),
      ...runs.map((run) => judged(subject, run, repository)),
      ...named.map(({ result: { name, verdict, reason } }) => ({
        subject: `${subject}: check ${name}`,
        ok: verdict !== 'failed',
        detail: oneLine(`${verdict}: ${reason}`),
      })),
    ];
  },
});

/** The named checks on the base, also those that only some changes need. */
async function tryChecks(code: CodeAttempt, base: string): Promise<CheckRun[]> {
  const { repository } = code;
  if (repository.checks.length === 0) return [];
  const all = { ...repository, checks: repository.checks.map((check) => ({ ...check, when: null })) };
  const keeping = { ...code.environment, artefacts: unkept };
  const at = { taskId: '', commit: base, base };
  const owning = (one: CodeAttempt): CodeAttempt => ({ ...one, repository: all, environment: keeping });
  const own: CodeAttempt = {
    ...owning(code),
    beside: (name, action) => code.beside(name, (beside) => action(owning(beside))),
  };
  const checkout = await code.checkout('checks', base);
  const setup = await setUp(own, checkout, at);
  return setup !== null && setup.problem !== null ? [] : runNamedChecks(own, checkout, at, () => Promise.resolve());
}

/** What a clone of the origin has beside git's own, and whether that is here. */
function told(subject: string, needs: Needs): CheckResult[] {
  const lfs = missingLfs(needs);
  const others = needs.missingFilters.filter((name) => name !== LFS);
  return [
    ...(lfs === null ? [] : [{ subject: `${subject}: LFS`, ok: false, detail: lfs }]),
    ...(others.length === 0
      ? []
      : [
          {
            subject: `${subject}: filters`,
            ok: true,
            detail: `.gitattributes names ${others.join(', ')}, which nobody configured here: files are taken as they are`,
          },
        ]),
    ...(needs.submodules
      ? [
          {
            subject: `${subject}: submodules`,
            ok: true,
            detail: 'are empty in an attempt, as in a clone: let "setup" run "git submodule update --init"',
          },
        ]
      : []),
  ];
}

function judged(subject: string, run: CommandRun, { evolve }: Repository): CheckResult {
  const about = { subject: `${subject}: ${run.step}` };
  const ran = `${run.command.join(' ')}: ${run.problem ?? 'exit code 0'}`;
  if (run.problem !== null) {
    const last = run.result.output.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
    return { ...about, ok: false, detail: oneLine(last === '' ? ran : `${ran}. Last line: ${last}`) };
  }
  if (run.step !== 'evaluate') return { ...about, ok: true, detail: oneLine(ran) };
  const told = readMetrics(run.result.stdout);
  if ('problem' in told) return { ...about, ok: false, detail: told.problem };
  const { metrics } = told;
  if (evolve !== null && metrics[evolve.metric] === undefined)
    return { ...about, ok: false, detail: `printed no metric "${evolve.metric}", which "evolve" names` };
  return { ...about, ok: true, detail: JSON.stringify(metrics) };
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
/** Reports of checks are read, and not kept. */
const unkept: Artefacts = {
  put: (bytes, mediaType) => Promise.resolve({ digest: '0'.repeat(64), size: bytes.length, mediaType }),
  get: () => Promise.resolve(null),
};
/** A check keeps nothing. */
const nowhere: Artefacts = {
  put: () => Promise.reject(new Error('a check keeps no artefacts')),
  get: () => Promise.resolve(null),
};
