import type { EventLog } from './port.ts';

/** Id of the very first event: what tells a log from every other one. Null while the log is empty. */
export async function firstEventId(log: Pick<EventLog, 'readAll'>, signal?: AbortSignal): Promise<string | null> {
  for await (const { id } of log.readAll({ ...(signal && { signal }) })) return id;
  return null;
}

/** What was kept about a log is about another one: it was lost, or the environment names another. Nothing can mend this but its owner. */
export class WrongLog extends Error {
  override name = 'WrongLog';
}
