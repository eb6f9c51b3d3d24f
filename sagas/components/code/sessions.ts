import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { sessionIn } from './profiles/profile.ts';

/** Whose session it is: an agent's, in one run of one task on this machine. */
export type SessionOf = {
  readonly dataFolder: string;
  readonly runId: string;
  readonly agent: Pick<AgentConfiguration, 'name' | 'profile'>;
};

const folderOf = ({ dataFolder, runId }: Omit<SessionOf, 'agent'>): string => join(dataFolder, 'sessions', runId);
const fileOf = (of: SessionOf): string =>
  join(folderOf(of), `${of.agent.profile}-${of.agent.name.replaceAll('/', '+')}`);

/** Notes the session that an attempt had, for the next one: a session lies where its agent ran, so the note stays there, too. */
export async function noteSession(of: SessionOf, session: string): Promise<void> {
  await mkdir(folderOf(of), { recursive: true, mode: 0o700 });
  await writeFile(fileOf(of), session, { mode: 0o600 });
}

/** The session of the last attempt, if it ran on this machine; null: none did, or it had none. */
export const notedSession = async (of: SessionOf): Promise<string | null> =>
  sessionIn(await readFile(fileOf(of), 'utf8').catch(() => undefined));

/** Nothing goes on in this run. */
export const forgetSessions = (of: Omit<SessionOf, 'agent'>): Promise<void> =>
  rm(folderOf(of), { recursive: true, force: true });
