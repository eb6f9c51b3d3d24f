import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { agentTold } from '@workledger/shared/contexts/values.ts';
import { sessionIn } from './profiles/profile.ts';

/** Whose session it is: an agent's, in one run of one task on this machine. */
export type SessionOf = {
  readonly dataFolder: string;
  readonly runId: string;
  readonly agent: Pick<AgentConfiguration, 'name' | 'profile'>;
  /** Key of the call that began it, for who begins the same call anew; left out: for the attempts that come after. */
  readonly begunBy?: string;
};

const folderOf = ({ dataFolder, runId }: Pick<SessionOf, 'dataFolder' | 'runId'>): string =>
  join(dataFolder, 'sessions', runId);
function fileOf(of: SessionOf): string {
  const begunBy = of.begunBy === undefined ? '' : `.${createHash('sha256').update(of.begunBy).digest('hex')}`;
  return join(folderOf(of), `${of.agent.profile}-${of.agent.name.replaceAll('/', '+')}${begunBy}`);
}

/** What an attempt leaves for the next one. */
const notedSchema = z.strictObject({
  session: z.string().refine((value) => sessionIn(value) !== null),
  /** As its agent told them. */
  tokens: agentTold.shape.tokens,
});
export type NotedSession = z.infer<typeof notedSchema>;

/** Notes the session that an attempt had: it lies where its agent ran, so the note stays there, too. */
export async function noteSession(of: SessionOf, noted: NotedSession): Promise<void> {
  await mkdir(folderOf(of), { recursive: true, mode: 0o700 });
  await writeFile(fileOf(of), JSON.stringify(noted), { mode: 0o600 });
}

/** The session of the last attempt, if it ran on this machine; null: none did, or it had none. */
export async function notedSession(of: SessionOf): Promise<NotedSession | null> {
  try {
    return notedSchema.parse(JSON.parse(await readFile(fileOf(of), 'utf8')));
  } catch {
    return null;
  }
}

/** Nothing goes on in this run. */
export const forgetSessions = (of: Pick<SessionOf, 'dataFolder' | 'runId'>): Promise<void> =>
  rm(folderOf(of), { recursive: true, force: true });
