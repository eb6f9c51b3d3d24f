import { InvalidAppend } from '@workledger/shared/event-log/errors.ts';
import { patiently, type Patience } from '@workledger/shared/resilience/patiently.ts';
import { because } from '../component.ts';
import type { Trigger } from '../instance.ts';
import type { Loaded, SagaStore } from '../store.ts';
import { effectId } from './perform.ts';
import type { EffectJob } from './job.ts';

/** Waits until the signal aborts. @throws when it is not recorded: the effect comes again, here or elsewhere */
export type RecordResult = (saga: Loaded, trigger: Trigger, signal: AbortSignal) => Promise<void>;

/**
 * Records what came of an effect, however long the log is away: what took an hour is not done again for that. A result that the
 * log cannot hold is a failure that no repeat can mend.
 */
export function createRecordResult(store: SagaStore, patience: Omit<Patience, 'signal'>): RecordResult {
  return async (saga, trigger, signal) => {
    const key = (trigger.data as { key: string }).key;
    const write = (): Promise<void> => recordOrFail(key, saga, trigger);
    await (signal.aborted ? write() : patiently('event-log', write, { ...patience, signal }));
  };

  async function recordOrFail(key: string, saga: Loaded, trigger: Trigger): Promise<void> {
    try {
      await record(key, saga, trigger);
    } catch (error) {
      if (!(error instanceof InvalidAppend)) throw error;
      await record(key, saga, failedFor(key, `its result cannot be recorded: ${error.message}`));
    }
  }

  async function record(key: string, { stream, origin, revision }: Loaded, trigger: Trigger): Promise<void> {
    const commandId = effectId(stream, key);
    const metadata = {
      correlationId: origin?.correlationId ?? commandId,
      causationId: commandId,
      commandId,
      commandHash: commandId,
      actor: `saga:${stream}`,
      traceparent: origin?.traceparent ?? null,
    };
    await store.apply(stream, trigger, metadata, revision);
  }
}

/** Of an effect that was cancelled and runs no more. */
export const cancelled = ({ key }: EffectJob): Trigger => failedFor(key, 'cancelled');

/** Of an effect that cannot succeed, whoever tries. */
const failedFor = (key: string, reason: string): Trigger => ({
  type: 'SagaEffectFailed',
  data: { key, failure: because(key, reason), retryable: false, costUsd: null, prompt: null },
});
