import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line says about the request, job or event that it belongs to. */
export type TelemetryContext = {
  readonly correlationId: string;
  readonly traceparent: string | null;
  /** Known once the caller is authenticated. */
  actor: string | null;
};

const storage = new AsyncLocalStorage<TelemetryContext>();

/** Runs `work` so that every log line below it carries the context. */
export const withContext = <Result>(context: TelemetryContext, work: () => Result): Result =>
  storage.run(context, work);

/** The context of the running request, job or event; undefined outside of any. */
export const currentContext = (): TelemetryContext | undefined => storage.getStore();
