import type { Pool } from 'pg';
import type { QuestionRow } from '@workledger/shared/contexts/task/question/row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { WaitingReason } from './reasons.ts';

/** What a task waits for is told of so many questions, and so many characters of each. */
const MOST_QUESTIONS = 10;
const SHOWN = 200;

const openSql = `
select wanted.id as "taskId", open.id, open.askee_kind as "askeeKind", open.askee, open.escalated_to as "escalatedTo",
  open.approval_of as "approvalOf", open.deadline, left(open.text, ${SHOWN}) as text
from unnest($1::text[]) as wanted (id) cross join lateral (
  select * from read_models.questions q where q.task_id = wanted.id and q.state = 'open'
  order by q.asked_at, q.id limit ${MOST_QUESTIONS}) as open`;

type Open = Pick<
  QuestionRow,
  'id' | 'taskId' | 'askeeKind' | 'askee' | 'escalatedTo' | 'approvalOf' | 'deadline' | 'text'
>;

/** Whose answers tasks wait for; empty where there are no questions yet. */
export async function questionReasons(
  pool: Pool,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, readonly WaitingReason[]>> {
  if (taskIds.length === 0) return new Map();
  const [model] = await selectRows<{ there: boolean }>(
    pool,
    `select to_regclass('read_models.questions') is not null as there`,
  );
  if (model?.there !== true) return new Map();
  const reasons = new Map<string, WaitingReason[]>();
  for (const open of await selectRows<Open & { taskId: string }>(pool, openSql, [taskIds]))
    reasons.set(open.taskId, [...(reasons.get(open.taskId) ?? []), reasonOf(open)]);
  return reasons;
}

function reasonOf({ id, askeeKind, askee, escalatedTo, approvalOf, deadline, text }: Open): WaitingReason {
  const first = askeeKind === 'participant' ? askee : `${askeeKind} ${askee}`;
  const whom = escalatedTo === null ? first : `${first}, or role ${escalatedTo}`;
  const what =
    approvalOf === null ? `it waits for an answer of ${whom}: ${text}` : `its merge waits for the approval of ${whom}`;
  return { kind: 'answer', questionId: id, askee, approvalOf, deadline, text: what };
}
