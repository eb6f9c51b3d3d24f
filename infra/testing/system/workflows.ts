import type { Client } from '@workledger/shared/client/client.ts';

type Step = Readonly<Record<string, unknown>>;

const task = (id: string, number: number, after: readonly string[]): Step => ({
  ...{ id, kind: 'command', after, command: 'task.create' },
  data: { title: { $cel: `inputs.label + " ${number}"` }, labels: ['by-workflow'] },
});
const inputs = { label: { type: 'string' } };

/** So many steps, one after the other: every other one makes a task. */
export const chainOf = (count: number) => ({
  name: `a chain of ${count}`,
  inputs,
  steps: Array.from({ length: count }, (_, index): Step => {
    const after = index === 0 ? [] : [`s${index - 1}`];
    if (index % 2 === 0) return task(`s${index}`, index, after);
    return { id: `s${index}`, kind: 'choice', after, cases: [{ choice: 'on', when: 'true' }] };
  }),
});

/** So many steps at once, each of which makes a task. */
export const fanOf = (count: number) => ({
  name: `${count} at once`,
  inputs,
  steps: Array.from({ length: count }, (_, index) => task(`s${index}`, index, [])),
  outputs: { first: { $from: '/steps/s0/result/id' } },
});

/** How many runs of a workflow have ended, as the read model knows. */
export async function countEnded(client: Pick<Client, 'list'>, workflowId: string): Promise<number> {
  let ended = 0;
  const path = `/workflow-runs?workflowId=${workflowId}&limit=100`;
  for await (const { endedAt } of client.list<{ endedAt: string | null }>(path)) if (endedAt !== null) ended += 1;
  return ended;
}
