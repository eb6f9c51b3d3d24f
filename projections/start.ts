import { openEmbeddings } from '@workledger/shared/embeddings/endpoint.ts';
import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { shownState } from '@workledger/shared/outbound/outbound.ts';
import { createProblems, runLoops, type Foundation, type RunningService } from '@workledger/shared/service/service.ts';
import { runReadModels } from './all.ts';
import { embedEntries } from './knowledge/embed-entries.ts';
import { keepForgetting } from './messages/forget.ts';
import { readModels } from './migrations.ts';

export const migrations: readonly SqlSchema[] = [readModels];

type ReadModelFoundation = Pick<
  Foundation,
  'log' | 'bus' | 'pool' | 'wakeUps' | 'logger' | 'outages' | 'configuration' | 'folder'
>;

/** Starts all projections, and what computes the meaning of entries where an endpoint is configured, and what forgets old messages. */
export function start({ wakeUps, configuration, folder, ...foundation }: ReadModelFoundation): RunningService {
  const { tell, facts } = createProblems();
  const onWaiting = (where: string, reason: string | null): void => tell(where, reason && `${where}: ${reason}`);
  const onProblem = (told: string | null): void => tell('the log', told);
  const told = { onApplied: wakeUps.wake, onWaiting, onProblem };
  let embeddingsFacts = (): Readonly<Record<string, unknown>> => ({});
  const embed = async (signal: AbortSignal): Promise<void> => {
    const embeddings = await openEmbeddings(configuration.embeddings, folder);
    if (embeddings === null) return;
    embeddingsFacts = () => ({ embeddings: shownState(embeddings.state()) });
    const onProblem = (problem: string | null): void => {
      tell('embeddings', problem);
      if (problem !== null) foundation.logger.warn({ problem }, 'knowledge is found by its words alone meanwhile');
    };
    await embedEntries({ pool: foundation.pool, embeddings, signal, onProblem });
  };
  return {
    facts: () => ({ ...facts(), ...embeddingsFacts() }),
    ...runLoops((signal) => [
      runReadModels({ ...foundation, ...told, signal }),
      embed(signal),
      keepForgetting(foundation, configuration.messages.retentionDays, signal),
    ]),
  };
}
