import type { CommandInput } from '@workledger/shared/commands/catalogue.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { IssueEvent } from '@workledger/shared/contexts/task/issue/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { command, type Decision, inputOf, request, type Saga } from '../engine/saga.ts';

type Input = TaskEvent | Extract<IssueEvent, { type: 'IssueTurnedIntoTask' }>;
type News = CommandInput<'issue.follow-task'>;

/** What the issue is still to be told, and whether it is being told something. */
export type IssueTaskState = {
  readonly issueId: string | null;
  readonly news: News | null;
  readonly told: number;
  readonly telling: boolean;
};

const MOST_CHARACTERS = 1_000;
const TASK_INPUTS: ReadonlySet<string> = new Set(['TaskClaimed', 'TaskCompleted', 'TaskFailed', 'TaskCancelled']);

/** Makes the task that an issue was turned into, and has the issue follow it. One instance an issue. */
export const issueTask: Saga<IssueTaskState> = {
  name: 'issue-task',
  topics: ['task'],
  correlate,
  initial: { issueId: null, news: null, told: 0, telling: false },
  evolve,
  react: (state, event) => {
    if (event.type === 'SagaInputReceived') {
      const input = inputOf<Input>(event);
      if (input.type !== 'IssueTurnedIntoTask') return tell(state);
      const issueId = streamId(event.data.source.stream);
      const { taskId } = input.data;
      return [request(command(`create/${taskId}`, 'task.create-from-issue', taskId, { issueId }))];
    }
    return event.type === 'SagaEffectSucceeded' || event.type === 'SagaEffectFailed' ? tell(state) : [];
  },
};

function correlate({ type, stream, data }: RecordedEvent): string | null {
  if (type === 'IssueTurnedIntoTask') return streamId(stream);
  return TASK_INPUTS.has(type) ? ((data as { issueId?: string }).issueId ?? null) : null;
}

function evolve(state: IssueTaskState, event: SagaEvent): IssueTaskState {
  switch (event.type) {
    case 'SagaInputReceived': {
      const input = inputOf<Input>(event);
      const id = streamId(event.data.source.stream);
      if (input.type === 'IssueTurnedIntoTask') return { ...state, issueId: id };
      const issueId = (input.data as { issueId?: string }).issueId ?? state.issueId;
      return { ...state, issueId, news: newsOf(input, id) ?? state.news };
    }
    case 'SagaEffectRequested':
      return isTelling(event.data.effect.key) ? { ...state, news: null, told: state.told + 1, telling: true } : state;
    case 'SagaEffectSucceeded':
      return isTelling(event.data.key) ? { ...state, telling: false } : state;
    case 'SagaEffectFailed': {
      const { key, failure } = event.data;
      if (isTelling(key)) return { ...state, telling: false };
      const reason = foreignText(`it could not be made: ${failure.reason}`, MOST_CHARACTERS);
      return { ...state, news: { taskId: key.slice('create/'.length), became: 'failed', reason } };
    }
    default:
      return state;
  }
}

const isTelling = (key: string): boolean => key.startsWith('follow/');

function newsOf(input: Input, taskId: string): News | null {
  switch (input.type) {
    case 'TaskClaimed':
      return { taskId, became: 'started', reason: null };
    case 'TaskCompleted':
      return { taskId, became: 'complete', reason: null };
    case 'TaskFailed':
      return { taskId, became: 'failed', reason: foreignText(input.data.failure.reason, MOST_CHARACTERS) };
    case 'TaskCancelled':
      return { taskId, became: 'cancelled', reason: input.data.reason };
    default:
      return null;
  }
}

const tell = ({ issueId, news, told, telling }: IssueTaskState): readonly Decision[] =>
  issueId === null || news === null || telling
    ? []
    : [request(command(`follow/${told + 1}`, 'issue.follow-task', issueId, news))];
