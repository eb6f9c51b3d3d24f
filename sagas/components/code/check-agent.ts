import { isAbsolute } from 'node:path';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { findExecutable } from '../process/find-executable.ts';
import type { CheckResult } from './check-result.ts';

/** Whether an agent's executable is there and may be run. Nothing is started. */
export async function checkAgent({ name, command, environment }: AgentConfiguration): Promise<CheckResult[]> {
  const subject = `agent "${name}"`;
  const [executable = ''] = command;
  const missing = environment.filter((variable) => process.env[variable] === undefined);
  return [
    { subject: `${subject}: executable`, ...(await tryExecutable(executable)) },
    ...(missing.length === 0
      ? []
      : [{ subject: `${subject}: environment`, ok: false, detail: `set ${missing.join(', ')}, or do not name it` }]),
  ];
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
