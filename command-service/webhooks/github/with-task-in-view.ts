import type { TaskStatus } from '@workledger/shared/contexts/task/task/state.ts';
import type { IssuesPayload } from './payload.ts';
import { hasRuleLabel, type Outcome, type RoutingRules } from './route-delivery.ts';

/** The outcome once it is known how the issue's task stands: what could have no effect is ignored, and the reason says so. */
export function withTaskInView(
  outcome: Outcome,
  status: TaskStatus,
  delivery: IssuesPayload,
  rules: RoutingRules,
): Outcome {
  if (!('intent' in outcome)) return outcome;
  const { taskId, intent } = outcome;
  const issue = `issue #${delivery.issue.number}`;
  if (intent.kind === 'cancel-task') {
    // With a label of a rule its task may be on its way: the cancellation then comes after the creation.
    return status === 'missing' && !hasRuleLabel(delivery, rules) ? { reason: `${issue} has no task` } : outcome;
  }
  switch (status) {
    case 'missing':
      return outcome;
    case 'failed':
    case 'cancelled':
      return {
        reason: `${issue} has the ${status} task ${taskId}: start it again by POST /api/v1/tasks/${taskId}/retry`,
      };
    default:
      return { reason: `${issue} has the task ${taskId} already; it is ${status}` };
  }
}
