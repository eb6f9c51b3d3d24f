import type { TaskView } from './client.ts';
import type { Stage } from './stage.ts';

/** Lines for a shell that show the diff and the audit trail; the curl lines answer while the system runs. */
export function whereToLook(
  task: Pick<TaskView, 'id'>,
  { sample, url, keyFile, startCommand }: Pick<Stage, 'sample' | 'url' | 'keyFile' | 'startCommand'>,
): string {
  const api = `${url}/api/v1`;
  const curl = `curl -H "Authorization: Bearer $(cat ${word(keyFile)})"`;
  return [
    '',
    'Where to look:',
    `  git -C ${word(sample.origin)} ${sample.failing ? 'branch --all' : 'log --patch main'}`,
    ...(startCommand === null ? [] : [`  ${startCommand}`]),
    `  ${curl} ${api}/tasks/${task.id}`,
    `  ${curl} "${api}/streams/task-${task.id}?format=ndjson"`,
    `  ${curl} "${api}/pipelines?taskId=${task.id}"`,
  ].join('\n');
}

/** One word for a shell, quoted where it must be. */
export const word = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
