import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import type { AgentTold, ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import type { Checkout } from '../git/checkout.ts';
import { childEnvironment } from '../process/run-process.ts';
import { sandboxFor } from '../sandbox/policy.ts';
import type { CodeAttempt } from './code-component.ts';
import { profileOf } from './profiles/profiles.ts';
import { promptOf, type AgentRequest } from './prompt.ts';
import { noteSession, notedSession, type NotedSession, type SessionOf } from './sessions.ts';
import type { Place } from './setup.ts';
import { findSession, startAgent, type AgentEnd, type Session } from './start-agent.ts';

export type AgentRun = {
  readonly exitCode: number | null;
  readonly durationMs: number;
  readonly costUsd: number | null;
  readonly prompt: ArtefactReference;
  /** Everything it printed, within the limit. */
  readonly output: ArtefactReference;
  /** What it told of its work; absent: nothing. */
  readonly agent?: AgentTold;
  /** The failure of this run with all that is known about it. */
  fail(reason: string, retryable?: boolean): ComponentFailure;
};

type Request = AgentRequest & { readonly runId: string; readonly place: Place; readonly context: string | null };

/**
 * Lets an agent work in a checkout, prompted as its profile says. What comes after an attempt of the same run goes on with that one's
 * session, and what is begun anew after a kill with its own, where that is here; else it begins anew with the same words. @throws ComponentFailure when it did not succeed
 */
export async function runAgent(
  code: CodeAttempt,
  agent: AgentConfiguration,
  checkout: Checkout,
  request: Request,
): Promise<AgentRun> {
  const prompt = await promptOf(request, { ...code, agent });
  if (request.prompt.purpose !== 'generate') return runPrompted(code, agent, checkout, prompt);
  const of: SessionOf = { dataFolder: code.environment.dataFolder, runId: request.runId, agent };
  const begun: SessionOf = { ...of, begunBy: code.key };
  const found = async (one: SessionOf): Promise<NotedSession | null> => {
    const noted = await notedSession(one);
    return noted !== null && (await findSession(code, agent, checkout, noted.session)) ? noted : null;
  };
  const own = await found(begun);
  const from = own ?? (isAnotherAttempt(request) ? await found(of) : null);
  const goOn = (session: NotedSession): Promise<Started> =>
    startOnce(code, agent, checkout, isAnotherAttempt(request) ? resumed(prompt) : interrupted(prompt), session);
  const startAnew = (lost: NotedSession | null): Promise<Started> =>
    startOnce(code, agent, checkout, prompt, null, beginning(code, begun, lost));
  const first = from === null ? await startAnew(null) : await goOn(from);
  const started = from !== null && isSessionLost(agent, first.end) ? await startAnew(from) : first;
  const { session, tokens } = started.end.judged.told;
  if (profileOf(agent).sessions !== null && session !== null) await note(code, of, { session, tokens });
  return finish(code, agent, started);
}

/** @returns whether it is noted */
const note = (code: CodeAttempt, of: SessionOf, noted: NotedSession): Promise<boolean> =>
  noteSession(of, noted).then(
    () => true,
    (error: unknown) => {
      const reason = oneLine(error);
      code.environment.logger.warn({ reason }, 'cannot note the session of an agent: it will begin anew');
      return false;
    },
  );

type Beginning = (agent: AgentConfiguration) => Promise<Omit<Session, 'session'>>;

/** Has a new session noted before its agent has ended: under the name that it is given, or as soon as it says its own. */
const beginning =
  (code: CodeAttempt, begun: SessionOf, lost: NotedSession | null): Beginning =>
  async (agent) => {
    const how = profileOf(agent).sessions?.begun;
    if (how === undefined) return {};
    const tokens = { input: 0, output: 0 };
    if (how === 'named') {
      const name = derivedId('agent session', code.key, lost?.session ?? '');
      return { name: (await note(code, begun, { session: name, tokens })) ? name : null };
    }
    let isSaid = false;
    const onLine = (line: string): void => {
      const session = isSaid ? null : how(line);
      if (session === null || code.secrets.text(session) !== session) return;
      isSaid = true;
      void note(code, begun, { session, tokens });
    };
    return { onLine };
  };

/** As `runAgent`, with words that are no task's. @throws ComponentFailure when it did not succeed */
export async function runPrompted(
  code: CodeAttempt,
  agent: AgentConfiguration,
  checkout: Checkout,
  prompt: string,
): Promise<AgentRun> {
  return finish(code, agent, await startOnce(code, agent, checkout, prompt, null));
}

type Started = {
  readonly prompt: string;
  readonly end: AgentEnd;
  /** What it went on with. */
  readonly from: NotedSession | null;
};

const startOnce = async (
  code: CodeAttempt,
  agent: AgentConfiguration,
  checkout: Checkout,
  prompt: string,
  from: NotedSession | null,
  begin: Beginning = () => Promise.resolve({}),
): Promise<Started> => {
  const session = from === null ? await begin(agent) : {};
  const end = await startAgent(code, agent, checkout, { ...session, prompt, session: from?.session ?? null });
  return { prompt, end, from };
};

const isAnotherAttempt = ({ prompt: { feedback, earlier = [] } }: AgentRequest): boolean =>
  feedback !== null || earlier.length > 0;

/** The files are not where that session left them. */
const resumed = (prompt: string): string =>
  `You worked on this before, in this conversation; why that did not do is told below. This is another folder, as it was \
at the start of this attempt: what you changed before may not be here. Look at the files anew.\n\n${prompt}`;

const interrupted = (prompt: string): string =>
  `You began this before, in this conversation, and were interrupted. This is another folder, as it was at the start: what you \
changed before is not here. Do it again from what you know already, and go on.\n\n${prompt}`;

const isSessionLost = (agent: AgentConfiguration, { judged, result }: AgentEnd): boolean =>
  judged.problem !== null &&
  (profileOf(agent).sessions?.lost.test(`${judged.problem}\n${result.stderr.toString()}`) ?? false);

/** What it told of this attempt alone. */
function toldOf(agent: AgentConfiguration, { end, from }: Started): Pick<AgentRun, 'agent'> {
  const { told } = end.judged;
  if (Object.values(told).every((value) => value === null)) return {};
  const isCumulative = from !== null && profileOf(agent).sessions?.tokens === 'of the session';
  const tokens = isCumulative ? lessTokens(told.tokens, from.tokens) : told.tokens;
  return { agent: { ...told, tokens, isResumed: from !== null } };
}

const lessTokens = (all: AgentTold['tokens'], before: AgentTold['tokens']): AgentTold['tokens'] =>
  all && before && { input: Math.max(0, all.input - before.input), output: Math.max(0, all.output - before.output) };

/** Keeps what was asked and said. @throws ComponentFailure when it did not succeed */
async function finish(code: CodeAttempt, agent: AgentConfiguration, started: Started): Promise<AgentRun> {
  const { artefacts } = code.environment;
  const { command, result, ended, judged } = started.end;
  const prompt = await artefacts.put(Buffer.from(started.prompt), 'text/markdown; charset=utf-8');
  const output = await artefacts.put(result.output, 'text/plain; charset=utf-8');
  const { exitCode, durationMs } = result;
  const { costUsd, hint } = judged;
  const told = toldOf(agent, started);
  const parts = { command, exitCode, output: result.output, log: output };
  const isOpen = judged.isOpen === true && exitCode === 0;
  const fail = (reason: string, retryable = true): ComponentFailure => {
    const more = isOpen ? (judged.problem ?? '') : hint;
    const whole = more === undefined || more === '' ? reason : `${reason} (${more})`;
    const options = { retryable, fault: 'work', costUsd, prompt, ...told } as const;
    return new ComponentFailure(failureOf('work', whole, parts), options);
  };
  const killed = result.ended === 'timeout' || result.signal !== null || result.limit !== null;
  const problem = killed || isOpen ? ended : judged.problem;
  if (problem !== null && !killed && judged.limit)
    throw new ComponentFailure(failureOf('work', `agent "${agent.name}": ${problem}`, parts), {
      ...{ retryable: true, fault: 'limit', until: judged.limit.until, prompt, ...told },
    });
  if (problem !== null) throw fail(`agent "${agent.name}": ${problem}`);
  return { exitCode, durationMs, costUsd, prompt, output, ...told, fail };
}

const GIT_TIMEOUT_MS = 300_000;
const GIT_OUTPUT_BYTES = 65_536;

/** Runs git where an agent worked, with no more rights than that agent had. @returns its exit code */
export async function gitInside(
  code: CodeAttempt,
  checkout: Checkout,
  agent: AgentConfiguration,
  args: readonly string[],
): Promise<number | null> {
  const { exitCode } = await code.attempt.run({
    command: ['git', ...args],
    cwd: checkout.path,
    environment: childEnvironment(),
    sandbox: sandboxFor(code, { agent }, checkout),
    timeoutMs: GIT_TIMEOUT_MS,
    maxOutputBytes: GIT_OUTPUT_BYTES,
    signal: code.signal,
    killStrays: true,
  });
  code.signal.throwIfAborted();
  return exitCode;
}
