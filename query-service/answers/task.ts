import { z } from 'zod';
import { revision, time } from '@workledger/shared/contexts/define-row.ts';
import { taskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import { withLinksSchema } from '../reading/with-links.ts';

const related = z.array(
  z.strictObject({ taskId: uuid, title: z.string().nullable(), state: taskRow.shape.state.nullable() }),
);
const run = z.strictObject({ id: uuid, state: z.string(), href: z.string() });

/** A task with all that hangs together with it. */
export const wholeTask = withLinksSchema(taskRow).extend({
  blocked: z.boolean(),
  dependencies: related.describe('what it waits for; state null: not known here yet'),
  dependents: related.describe('what waits for it'),
  pipelines: z.array(run.extend({ startedAt: time })),
  generations: z.array(run),
  evolutions: z.array(run),
  validations: z.array(run),
  history: z.array(
    z.strictObject({ type: z.string(), revision, recordedAt: time, data: z.record(z.string(), z.unknown()) }),
  ),
});
