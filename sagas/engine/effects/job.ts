/** What a queued job says: which effect of which saga. All else is read from the saga's stream. */
export type EffectJob = { readonly stream: string; readonly key: string };

/** Long calls have workers of their own, so that commands and timers never wait behind them. */
export const EFFECT_TASKS = { command: 'perform-command', timer: 'perform-timer', call: 'perform-call' } as const;

/** One job an effect, however often it is queued. The attempt is part of the effect's key. */
export const jobKey = ({ stream, key }: EffectJob): string => `${stream}/${key}`;
