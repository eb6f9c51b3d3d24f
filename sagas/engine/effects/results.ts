import { because } from '../component.ts';
import type { Trigger } from '../instance.ts';
import type { EffectJob } from './job.ts';

/** Of an effect that was cancelled and runs no more. */
export const cancelled = ({ key }: EffectJob): Trigger => failedFor(key, 'cancelled');

/** Of an effect that cannot succeed, whoever tries. */
export const failedFor = (key: string, reason: string): Trigger => ({
  type: 'SagaEffectFailed',
  data: { key, failure: because(key, reason), retryable: false, costUsd: null, prompt: null },
});
