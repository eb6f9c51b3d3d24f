import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CheckConfiguration } from '@workledger/shared/config/checks.ts';
import { MOST_FINDINGS } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { createTurns } from '@workledger/shared/resilience/in-turn.ts';
import { ensureCommits } from '../git/commits.ts';
import type { CodeAttempt } from './code-component.ts';
import { type At, setUp } from './setup.ts';
import { tell } from './tell-check.ts';

const kept = z.strictObject({ fingerprints: z.array(z.string().max(64)).max(MOST_FINDINGS) });
type Base = { readonly fingerprints: readonly string[] } | { readonly unavailable: string };

const inTurn = createTurns();
/** Of all repositories, on one machine. */
const MOST_KEPT = 200;

/** What a check finds on the base, by fingerprints: run once for a commit, and remembered on this machine. */
export async function baseFindings(
  code: CodeAttempt,
  { taskId, base }: At & { readonly base: string },
  check: CheckConfiguration,
): Promise<Base> {
  const { environment, repository, signal } = code;
  const folder = join(environment.dataFolder, 'base-findings');
  const { setup, variables, url } = repository;
  const { command, report } = check;
  const about = JSON.stringify({ url, base, setup, variables, command, report });
  const file = join(folder, `${createHash('sha256').update(about).digest('hex')}.json`);
  return inTurn(file, async () => {
    signal.throwIfAborted();
    const known = await readKept(file);
    if (known !== null) return known;
    const found = await code.beside(`base-${check.name}`, async (at): Promise<Base> => {
      await ensureCommits(at.mirror, taskId, [base], signal);
      const checkout = await at.checkout('base', base);
      const prepared = await setUp(at, checkout, { taskId, commit: base, base });
      if (prepared !== null && prepared.problem !== null)
        return { unavailable: `the base cannot be compared with: setup fails there (${prepared.problem})` };
      const { outcome } = await tell(at, checkout, check);
      return 'unavailable' in outcome
        ? { unavailable: `the base cannot be compared with: ${outcome.unavailable}` }
        : { fingerprints: (outcome.told ?? []).map(({ fingerprint }) => fingerprint) };
    });
    if ('fingerprints' in found) await keep(folder, file, found);
    return found;
  });
}

async function readKept(file: string): Promise<z.infer<typeof kept> | null> {
  try {
    const read = kept.parse(JSON.parse(await readFile(file, 'utf8')));
    await utimes(file, new Date(), new Date());
    return read;
  } catch {
    return null;
  }
}

/** It is a memory: that it cannot be kept makes it slower, nothing else. */
async function keep(folder: string, file: string, found: object): Promise<void> {
  const made = `${file}.${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(made, JSON.stringify(found), { mode: 0o600 });
    await rename(made, file);
    await forgetOldest(folder);
  } catch {
    await rm(made, { force: true }).catch(() => undefined);
  }
}

async function forgetOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= MOST_KEPT) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name)).catch(() => null))?.mtimeMs ?? 0 })),
  );
  aged.sort((one, other) => other.at - one.at);
  for (const { name } of aged.slice(MOST_KEPT)) await rm(join(folder, name), { force: true });
}
