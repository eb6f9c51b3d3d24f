import type { Definition } from '../contexts/task/workflow/definition.ts';

/** A workflow that is there to begin with: it is copied, and then one's own. */
export type WorkflowTemplate = {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly definition: Definition;
};

const TASK_ENDS = ['TaskCompleted', 'TaskFailed', 'TaskCancelled'].map((type) => `workledger.task.${type}`);

/** A task, and its end: the pipeline of code does what lies between. */
const workedOn = (name: string, data: Record<string, unknown>, after: readonly string[] = []): Definition['steps'] => {
  const made = `${name}_task`;
  const made_id = { $from: `/steps/${made}/result/id` };
  const ended = `${name}_ended`;
  return [
    {
      ...{ kind: 'command', id: made, after: [...after], command: 'task.create', data: data as never },
      compensation: { kind: 'command', command: 'task.cancel', target: made_id },
    },
    { kind: 'wait', id: ended, after: [made], events: TASK_ENDS, failsOn: TASK_ENDS.slice(1), of: made_id },
  ];
};

const text = { type: 'string' } as const;
const words = { type: 'string', default: '' } as const;
const task = {
  title: { $from: '/inputs/title' },
  description: { $from: '/inputs/description' },
  repository: { $from: '/inputs/repository' },
};

export const templates: readonly WorkflowTemplate[] = [
  {
    name: 'code-evolution',
    title: 'One task, from its words to merged code',
    description:
      'Makes a task of a repository and waits for its end: an agent, evolution, validation and merge do the rest. Fails when the task does not complete.',
    definition: {
      name: 'Code evolution',
      inputs: { title: text, description: words, repository: text },
      steps: workedOn('code', task),
      outputs: { taskId: { $from: '/steps/code_task/result/id' }, end: { $from: '/steps/code_ended/result/data' } },
    },
  },
  {
    name: 'approved-change',
    title: 'A change that a person approves before anybody works on it',
    description:
      'Asks an operator; approved, it makes the task and waits for its end. Refused, the run fails and no task is made.',
    definition: {
      name: 'Approved change',
      inputs: { title: text, description: words, repository: text },
      steps: [
        {
          ...{ kind: 'approval', id: 'approved', askee: { kind: 'role', role: 'operator' } },
          text: { $cel: '"May this be worked on? " + inputs.title' },
          timeoutSeconds: 7 * 86_400,
        },
        ...workedOn('code', task, ['approved']),
      ],
      outputs: { taskId: { $from: '/steps/code_task/result/id' } },
    },
  },
  {
    name: 'change-in-two-repositories',
    title: 'The same change in two repositories, and news when both are done',
    description:
      'Two tasks at once; when both are complete, operators are told. When one fails, the other one is cancelled.',
    definition: {
      name: 'Change in two repositories',
      inputs: { title: text, description: words, first: text, second: text },
      steps: [
        ...workedOn('first', { ...task, repository: { $from: '/inputs/first' } }),
        ...workedOn('second', { ...task, repository: { $from: '/inputs/second' } }),
        {
          ...{ kind: 'command', id: 'told', command: 'message.send' },
          after: ['first_ended', 'second_ended'],
          data: {
            to: { kind: 'topic', topic: 'workflows' },
            subject: 'Both are changed',
            body: { $cel: 'inputs.title + ": " + inputs.first + " and " + inputs.second' },
          },
        },
      ],
    },
  },
];
