import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { statFields } from './process-identity.ts';

const POLL_MS = 20;
/** How long the kernel may take to remove what was killed. */
const SETTLE_MS = 1_000;

/** Ends a whole process group: SIGTERM, after `graceMs` SIGKILL. Answers when nothing of it runs any more. */
export async function killGroup(group: number, graceMs: number): Promise<void> {
  if (!send(group, 'SIGTERM')) return;
  if (await gone(group, graceMs)) return;
  send(group, 'SIGKILL');
  await gone(group, SETTLE_MS);
}

function send(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

async function gone(group: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (;;) {
    if (!isAlive(group)) return true;
    if (performance.now() >= until) return false;
    await sleep(POLL_MS);
  }
}

function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || hasRunningMember(group);
}

/** A zombie still answers to a signal; where nobody reaps orphans it would do so for ever. */
function hasRunningMember(group: number): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const fields = statFields(name);
    return fields !== null && fields.group === group && !'ZX'.includes(fields.state);
  });
}
