import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import type { KeyEvent } from '@workledger/shared/contexts/agent/key/events.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';
import pg from 'pg';
import { untilTrue } from '../../testing/processes/until.ts';
import { createUserRepository } from '../../testing/repository/git.ts';
import type { RunningSystem } from '../../testing/system/engine.ts';

/** Two that no agent of the system works on, each with one commit: a run on them gets as far as an agent's work, and waits. */
export async function createRepositories() {
  const folder = await mkdtemp(join(tmpdir(), 'workledger-repositories-'));
  const repositories = ['mine', 'theirs'].map((name) => ({ name, url: join(folder, name), test: ['true'] }));
  for (const { name, url } of repositories) createUserRepository(url, { name });
  return { repositories, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Waits until the run of a claim of a remote agent has nothing more to do by itself. */
export const untilAgentIsAwaited = (system: RunningSystem, claimId: string): Promise<unknown> =>
  untilTrue(async () =>
    (await system.client.stream(streamName('saga-code-evolution', claimId))).some(
      ({ type, data }) => type === 'SagaStepChanged' && (data as { step?: unknown }).step === 'await-work',
    ),
  );

const append = async (log: EventLog, stream: string, ...events: DomainEvent[]): Promise<void> => {
  const ids = { correlationId: newId(), causationId: null, commandId: newId(), commandHash: '0' };
  await log.append(stream, encode(stream, events, { ...ids, actor: 'planted', traceparent: null }), 'none');
};

type Created = Extract<KeyEvent, { type: 'KeyCreated' }>['data'];

/** A key without a MAC, as they were made before, with whatever no command would let pass. */
export function plantedKey(fields: Partial<Created>) {
  const id = newId();
  const { key, secretHash } = newApiKey(id);
  const data = { name: 'planted', role: 'viewer', agentId: null, secretHash, ...fields } as const;
  return {
    key,
    append: (log: EventLog) => append(log, streamName('key', id), { type: 'KeyCreated', data }),
  };
}

/** A task of a repository, a generation for it, and the diff that came of it: their ids by where they are read. */
export async function plantWork(system: RunningSystem, log: EventLog, repository: string) {
  const { id: taskId } = await system.client.expect2xx('POST', '/tasks', { body: { title: repository, repository } });
  const pool = new pg.Pool({ connectionString: await system.databaseUrl() });
  const bytes = Buffer.from(JSON.stringify({ diffOf: repository }));
  const diff = await createPostgresArtefacts(pool).put(bytes, 'application/json');
  await pool.end();
  const [generation, base] = [newId(), 'a'.repeat(40)];
  const run = { taskId, runId: newId() };
  const attempt = { ...run, attempt: 1, strategy: 'one' };
  const made = {
    diffStat: { files: 1, insertions: 1, deletions: 0 },
    diff,
    output: diff,
    costUsd: null,
    durationMs: 1,
  };
  await append(
    log,
    streamName('generation', generation),
    { type: 'GenerationRequested', data: { ...run, repository, base, prompt: null, strategies: ['one'] } },
    { type: 'GenerationAttemptStarted', data: attempt },
    { type: 'GenerationSucceeded', data: { ...attempt, ...made, commit: base } },
  );
  await untilTrue(async () => (await system.client.send('GET', `/generations/${generation}`)).status === 200);
  await untilTrue(async () => (await system.client.send('GET', `/tasks/${taskId}`)).status === 200);
  return { '/tasks/': taskId, '/generations/': generation, '/artefacts/': diff.digest };
}
