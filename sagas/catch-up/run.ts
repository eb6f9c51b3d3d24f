import type { Pool } from 'pg';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Reviews } from '@workledger/shared/config/reviews.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { deliveryStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { Github } from '../components/github/github.ts';
import { leaveAt, takeTurn } from './cursor.ts';
import { lookAtDeliveries } from './deliveries.ts';
import { lookAtInstalled, type Installing } from './installed.ts';
import type { Found, Look, Seen } from './look.ts';
import { lookAtIssues } from './polling.ts';
import { lookAtPulls } from './pull-requests.ts';

export type CatchUpOptions = {
  readonly github: Github | null;
  readonly configuration: Pick<Configuration, 'github' | 'repositories' | 'rules' | 'installed'>;
  readonly installed: Installing['installed'];
  readonly pool: Pool;
  readonly artefacts: Artefacts;
  readonly commands: Commands;
  readonly outages: Outages;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** A process that was started a moment ago has better to do. */
const FIRST_MILLISECONDS = 5_000;

/**
 * Finds what GitHub sent, or would have sent, while nobody listened: the failed deliveries of an app, which GitHub sends again when it is
 * asked to, and what it is installed for; with a token, what happened to issues, and to pull requests that may be ones to review. Until the signal aborts; any number of processes may share it.
 */
export function createCatchUp({
  github,
  configuration,
  installed,
  pool,
  artefacts,
  commands,
  outages,
  logger,
  signal,
}: CatchUpOptions) {
  const settings = configuration.github?.catchUp ?? null;
  const counts = { found: 0, redelivered: 0, givenUp: 0 };
  let last: { readonly lookedAt: string; readonly cut: Seen['cut']; readonly failing: number } | null = null;
  const told = new Set<string>();

  const actor = `saga:saga-catch-up-${derivedId('catch-up', 'github')}`;

  async function hand({ event, deliveryId, body }: Found): Promise<void> {
    const target = deliveryStreamId('github', deliveryId);
    const kept = await artefacts.put(Buffer.from(JSON.stringify(body)), 'application/json');
    const data = { provider: 'github', event, deliveryId, body: kept };
    const context = { actor, correlationId: newId(), commandId: derivedId('command', target) };
    await commands.send({ type: 'delivery.take-found', target, data }, context);
  }

  /** @returns null: it is not our turn */
  async function lookAt(
    list: string,
    seconds: number,
    act: (before: unknown) => Promise<{ cursor: object; seen: Seen }>,
  ) {
    const before = await outages.watch('postgresql', () => takeTurn(pool, list, seconds));
    if (before === undefined) return null;
    const { cursor, seen } = await act(before);
    await leaveAt(pool, list, cursor);
    return seen;
  }

  async function lookOnce(github: Github, settings: NonNullable<Settings>): Promise<void> {
    const { everySeconds, ...bounds } = settings;
    const look = (): Look => ({ github, signal, now: Date.now(), ...bounds });
    const lists: List[] = github.isApp
      ? [['github deliveries', (before) => lookAtDeliveries(look(), before)], ...installations()]
      : configuration.repositories.flatMap(({ github: name, reviews }) =>
          name === null ? [] : listsOf(name, reviews),
        );
    function installations(): List[] {
      if (configuration.installed === null) return [];
      return [['github installed', () => lookAtInstalled(look(), { installed, commands, actor })]];
    }
    function listsOf(name: string, reviews: Reviews | null): List[] {
      const list = `github ${name.toLowerCase()}`;
      const issues: List = [list, (before) => lookAtIssues(look(), { name, reviews }, before, hand)];
      const pulls: List = [`${list} pulls`, (before) => lookAtPulls(look(), name, before, hand)];
      return reviews === null ? [issues] : [issues, pulls];
    }
    let cut: Seen['cut'] = null;
    let failing = 0;
    for (const [list, act] of lists)
      try {
        const seen = await lookAt(list, everySeconds, act);
        if (seen === null) continue;
        for (const name of ['found', 'redelivered', 'givenUp'] as const) counts[name] += seen[name];
        cut = seen.cut ?? cut;
        told.delete(list);
      } catch (error) {
        if (signal.aborted) return;
        failing += 1;
        if (!told.has(list) && !outages.isTold(error))
          logger.warn({ list, reason: oneLine(error) }, 'missed deliveries cannot be looked for: trying again');
        told.add(list);
      }
    last = { lookedAt: new Date().toISOString(), cut, failing };
  }

  return {
    run: async (): Promise<void> => {
      const everyMilliseconds = 1_000 * (settings?.everySeconds ?? 86_400);
      await pause(Math.min(FIRST_MILLISECONDS, everyMilliseconds), signal);
      while (!signal.aborted) {
        if (github !== null && settings !== null) await lookOnce(github, settings);
        await pause(everyMilliseconds, signal);
      }
    },
    facts: (): Readonly<Record<string, unknown>> =>
      github === null || settings === null
        ? {}
        : {
            catchUp: {
              ...{ by: github.isApp ? 'deliveries' : 'polling', lookedAt: null, cut: null, failing: 0 },
              ...last,
              ...counts,
              quotaLeft: github.quotaLeft(),
            },
          },
  };
}

type List = readonly [string, (before: unknown) => Promise<{ cursor: object; seen: Seen }>];
type Settings = NonNullable<Configuration['github']>['catchUp'];
