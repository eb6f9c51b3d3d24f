import { z } from 'zod';
import { inRun } from '../run-component.ts';
import { writeComment } from './comments.ts';
import { changeLabels } from './labels.ts';
import { linkToTask } from '../environment.ts';
import { issueOf } from './pull-requests.ts';
import { githubComponent } from './repository.ts';

const STAGES = ['working', 'done', 'failed', 'cancelled'] as const;
const labelOf = (stage: (typeof STAGES)[number]): string => `workledger:${stage}`;

/** Tells the issue that the task came from how far its work is: one comment, changed in its place, and a label; no issue of the repository, nothing. */
export const tellIssue = githubComponent({
  request: inRun.extend({ stage: z.enum(STAGES), text: z.string().min(1).max(50_000) }),
  result: z.object({ outcome: z.enum(['told', 'no-issue']) }),
  act: async ({ taskId, stage, text }, repository, { environment }) => {
    const { source } = await environment.readTask(taskId);
    const number = issueOf(source, decodeURIComponent(repository.name));
    if (number === null) return { outcome: 'no-issue' as const };
    const link = linkToTask(environment, taskId);
    const whole = link === null ? text : `${text}\n\n[The task](${link})`;
    await writeComment(repository, { taskId, number, about: 'task', text: whole });
    const others = STAGES.filter((one) => one !== stage).map(labelOf);
    await changeLabels(repository, { number, add: [labelOf(stage)], remove: others });
    return { outcome: 'told' as const };
  },
});
