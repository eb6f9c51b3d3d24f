import { resolve } from 'node:path';
import type { TaskView } from './client.ts';

export type Places = {
  readonly task: TaskView;
  readonly failing: boolean;
  /** The sample's bare repository. */
  readonly origin: string;
  readonly dataFolder: string;
  readonly keyFile: string;
};

/** Lines for a shell that show the diff and the audit trail; the curl lines answer while `npm start` runs. */
export function whereToLook({ task, failing, origin, dataFolder, keyFile }: Places): string {
  const api = 'http://127.0.0.1:8080/api/v1';
  const curl = `curl -H "Authorization: Bearer $(cat ${word(keyFile)})"`;
  const isDefault = dataFolder === resolve('.workledger');
  return [
    '',
    'Where to look:',
    `  git -C ${word(origin)} ${failing ? 'branch --all' : 'log --patch main'}`,
    isDefault ? '  npm start' : `  npm start -- --data ${word(dataFolder)}`,
    `  ${curl} ${api}/tasks/${task.id}`,
    `  ${curl} "${api}/streams/task-${task.id}?format=ndjson"`,
    `  ${curl} "${api}/pipelines?taskId=${task.id}"`,
  ].join('\n');
}

/** One word for a shell, quoted where it must be. */
const word = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
