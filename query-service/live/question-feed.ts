import type { Pool } from 'pg';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Feed, Told } from './feed.ts';

/** Open questions whose end whoever comes is told of. */
const MOST_OPEN = 1_000;

/** `questions`: those that whoever listens is asked, as a participant, by role or by team, and what becomes of these and of their own. */
export const questionFeed = (pool: Pool): Feed => ({
  name: 'questions',
  argument: null,
  streams: ['question'],
  open: async (_, principal) => {
    const asked = askeesOf(principal);
    const open = await selectRows<{ id: string }>(pool, OPEN, [[...asked], principal.actor, principal.repositories]);
    return [...asked, askerOf(principal.actor), ...open.map(({ id }) => endOf(id))];
  },
  tell,
});

const OPEN = `
select id from read_models.questions
where state = 'open' and (askee_kind || ':' || askee = any ($1::text[]) or 'role:' || escalated_to = any ($1::text[]) or asked_by = $2)
  and ($3::text[] is null or repository = any ($3))
order by asked_at desc, id limit ${MOST_OPEN}`;

const askeesOf = ({ actor, role, teams }: Principal): readonly string[] => [
  `participant:${actor}`,
  `role:${role}`,
  ...teams.map((team) => `team:${team}`),
];
const askerOf = (actor: string): string => `asker:${actor}`;
/** Of a question: who was told that it is asked, or asked it, is told how it ends. */
const endOf = (questionId: string): string => `question:${questionId}`;

function tell(recorded: RecordedEvent): readonly Told[] {
  const { type, data, stream, recordedAt } = upcast(recorded) as RecordedEvent & QuestionEvent;
  const questionId = streamId(stream);
  const of = (key: string) => ({ feed: 'questions', key });
  const about = { questionId, taskId: data.taskId, at: recordedAt.toISOString() };
  const add = endOf(questionId);
  switch (type) {
    case 'QuestionAsked': {
      const { askee, askedBy, text, choices, repository, deadline, approval } = data;
      const whom = askee.kind === 'participant' ? askee.participant : askee.kind === 'role' ? askee.role : askee.team;
      const told = {
        ...about,
        askedBy,
        askee,
        text,
        choices,
        repository,
        deadline,
        approvalOf: approval?.commit ?? null,
      };
      return [
        { ...of(`${askee.kind}:${whom}`), event: 'asked', data: told, repository, add },
        { ...of(askerOf(askedBy)), event: null, data: {}, add },
      ];
    }
    case 'QuestionEscalated':
      return [
        { ...of(`role:${data.role}`), event: 'escalated', data: { ...about, role: data.role }, repository: null, add },
      ];
    default: {
      const { taskId: _, runId: __, ...ending } = data;
      return [{ ...of(add), event: ENDED[type], data: { ...about, ...ending }, remove: add }];
    }
  }
}

const ENDED = {
  QuestionAnswered: 'answered',
  QuestionDefaulted: 'defaulted',
  QuestionFailed: 'failed',
  QuestionWithdrawn: 'withdrawn',
} as const;
