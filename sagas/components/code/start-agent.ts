import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import type { Checkout } from '../git/checkout.ts';
import type { ProcessResult } from '../process/run-process.ts';
import { sandboxFor } from '../sandbox/policy.ts';
import { agentNotes, splitLines } from './agent-notes.ts';
import type { CodeAttempt } from './code-component.ts';
import { agentEnvironment, problemOf } from './commands.ts';
import type { Judged } from './profiles/profile.ts';
import { profileOf } from './profiles/profiles.ts';

export type AgentEnd = {
  readonly command: readonly string[];
  readonly result: ProcessResult;
  /** Why its process does not count as ended well; null: exit code 0 within its time. */
  readonly ended: string | null;
  readonly judged: Judged;
};

export type Session = {
  /** That it goes on with; null: a new one. */
  readonly session: string | null;
  /** What a new one is to be called, where it takes a name. */
  readonly name?: string | null;
  /** Told of each line of its standard output. */
  readonly onLine?: ((line: string) => void) | undefined;
};

/** Starts an agent once as its profile says, follows what it prints, and judges how it ended. */
export async function startAgent(
  code: CodeAttempt,
  agent: AgentConfiguration,
  checkout: Checkout,
  { prompt, session, name = null, onLine }: Session & { readonly prompt: string },
): Promise<AgentEnd> {
  const profile = profileOf(agent);
  // Out of reach of what ran here before; a file that a command names can be read in the sandbox.
  const promptFile = join(checkout.notes, 'prompt.md');
  if (profile.prompt === 'file') await writeFile(promptFile, prompt, { mode: 0o600 });
  const command = profile.command(agent, { session, name, promptFile });
  const over = new AbortController();
  const notes = agentNotes(code, profile.note, over.signal);
  const lines = onLine && splitLines(onLine);
  const running = code.attempt.run({
    ...insideOf(code, agent, checkout),
    command,
    ...(profile.prompt === 'stdin' && { stdin: prompt }),
    timeoutMs: agent.limits.timeoutSeconds * 1_000,
    maxOutputBytes: agent.limits.maxOutputBytes,
    limits: agent.limits,
    onOutput: (chunk, from) => {
      if (from === 'stdout') lines?.(chunk);
      notes?.(chunk, from);
    },
  });
  const result = await running.finally(() => over.abort());
  code.signal.throwIfAborted();
  const ended = problemOf(result, agent.limits.timeoutSeconds);
  const judged = profile.judge({ ...result, problem: ended });
  const { session: said } = judged.told;
  // What it calls its session may be anything that it knows.
  const own = said !== null && code.secrets.text(said) === said ? said : null;
  return { command, result, ended, judged: { ...judged, told: { ...judged.told, session: own } } };
}

const FIND_TIMEOUT_MS = 60_000;
const FIND_OUTPUT_BYTES = 4_096;

/** Whether an agent's session is here, in its home, and can be gone on with in this folder. */
export async function findSession(
  code: CodeAttempt,
  agent: AgentConfiguration,
  checkout: Checkout,
  session: string,
): Promise<boolean> {
  const { sessions } = profileOf(agent);
  if (sessions === null) return false;
  const { exitCode } = await code.attempt.run({
    ...insideOf(code, agent, checkout),
    command: ['/bin/sh', '-c', sessions.find, 'sh', session],
    timeoutMs: FIND_TIMEOUT_MS,
    maxOutputBytes: FIND_OUTPUT_BYTES,
  });
  code.signal.throwIfAborted();
  return exitCode === 0;
}

/** What a program gets that runs as the agent does: its place, its variables, its rights. */
const insideOf = (code: CodeAttempt, agent: AgentConfiguration, checkout: Checkout) => ({
  cwd: checkout.path,
  environment: agentEnvironment(agent, code.repository),
  sandbox: sandboxFor(code, { agent }, checkout),
  signal: code.signal,
  killStrays: true,
});
