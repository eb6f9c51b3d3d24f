import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { WebhookEvent } from '@workledger/shared/contexts/sync/webhook/events.ts';
import { outgoingWebhooksSchema } from '@workledger/shared/config/outgoing-webhooks.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { newWebhookSecret } from '@workledger/shared/security/webhook-secrets.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { createdTask, newTaskStream, retitled } from '@workledger/infra/testing/events/task-events.ts';
import type { Pool } from 'pg';
import pino from 'pino';
import { createWebhooks } from './run.ts';

export type Sent = { readonly type: string; readonly target: string; readonly reason: string };

export type Settings = {
  readonly hosts: readonly string[];
  readonly privateHosts?: readonly string[];
  readonly retrySeconds?: readonly number[];
  readonly timeoutSeconds?: number;
  readonly pauseAfterDays?: number;
  readonly bus?: EventBus;
  readonly logger?: Logger;
};

type Created = Extract<WebhookEvent, { type: 'WebhookCreated' }>['data'];

/** Appends what subscriptions and their events are made of, and sends. */
export function createWebhookTrial(log: EventLog, pool: Pool) {
  const metadata = () => ({
    ...{
      correlationId: newId(),
      causationId: null,
      commandId: newId(),
      commandHash: '',
      actor: 'system',
      traceparent: null,
    },
  });

  async function append(stream: string, events: readonly DomainEvent[]): Promise<bigint> {
    let revision = -1;
    for await (const event of log.readStream(stream, { direction: 'backward', limit: 1 })) revision = event.revision;
    return (await log.append(stream, encode(stream, events, metadata()), revision < 0 ? 'none' : revision)).position;
  }

  const tell = (id: string, ...events: readonly WebhookEvent[]): Promise<bigint> =>
    append(streamName('webhook', id), events);

  async function addSecret(id: string): Promise<{ readonly secretId: string; readonly secret: string }> {
    const [secretId, secret] = [newId(), newWebhookSecret()];
    await pool.query('insert into command_service.webhook_secrets (webhook_id, id, secret) values ($1, $2, $3)', [
      ...[id, secretId, secret],
    ]);
    return { secretId, secret };
  }

  return {
    append,
    tell,
    addSecret,
    subscribe: async (
      url: string,
      more: Partial<Created> = {},
    ): Promise<{ readonly id: string; readonly secret: string }> => {
      const id = newId();
      const { secretId, secret } = await addSecret(id);
      const data: Created = {
        ...{
          name: 'x',
          url,
          eventTypes: ['workledger.task.*'],
          repositories: null,
          reach: 'work',
          madeBy: `key:${newId()}`,
        },
        ...more,
        secretId,
      };
      await tell(id, { type: 'WebhookCreated', data });
      return { id, secret };
    },
    /** A task of a repository, that was renamed so many times. */
    task: async (repository: string | null = null, changes = 0): Promise<string> => {
      const stream = newTaskStream();
      await append(stream, [createdTask({ repository })]);
      for (let count = 0; count < changes; count++) await append(stream, [retitled(`title ${count}`)]);
      return stream;
    },
    /** @returns how to stop it, and the commands that it sent */
    start: (settings: Settings) => {
      const {
        hosts,
        privateHosts = hosts,
        retrySeconds = [0.2, 0.2, 0.2],
        logger = pino({ level: 'silent' }),
      } = settings;
      const { timeoutSeconds = 1, pauseAfterDays = 5 } = settings;
      const sent: Sent[] = [];
      const stopping = new AbortController();
      const bus = settings.bus ?? createInProcessBus(log);
      const webhooks = createWebhooks({
        ...{ log, bus, pool, logger, outages: createOutages(logger), signal: stopping.signal },
        commands: {
          send: async ({ type, target, data }) => {
            sent.push({ type, target, ...(data as { reason: string }) });
            const kind = type === 'webhook.disable' ? 'WebhookDisabled' : 'WebhookPaused';
            await tell(target, { type: kind, data: data as { reason: string } });
            return { id: target, stream: '', revision: 0, token: '', details: {} };
          },
        },
        configuration: {
          outbound: { allowHosts: [], privateHosts: [...privateHosts] },
          outgoingWebhooks: {
            ...outgoingWebhooksSchema.parse({}),
            ...{ allowHosts: [...hosts], retrySeconds: [...retrySeconds], timeoutSeconds, pauseAfterDays },
          },
        },
      });
      const running = webhooks.run();
      return {
        sent,
        facts: webhooks.facts,
        stop: async (): Promise<void> => {
          stopping.abort();
          await running;
          if (settings.bus === undefined) await bus.close();
        },
      };
    },
    deliveries: async (
      id: string,
    ): Promise<{ readonly status: string; readonly attempts: number; readonly reason: string | null }[]> =>
      (
        await pool.query<{ status: string; attempts: number; reason: string | null }>(
          'select status, attempts, last_reason as reason from sagas.webhook_deliveries where webhook_id = $1 order by position',
          [id],
        )
      ).rows,
  };
}
