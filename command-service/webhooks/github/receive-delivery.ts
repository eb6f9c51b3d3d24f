import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { readState } from '@workledger/shared/aggregate/read-state.ts';
import { taskFold } from '@workledger/shared/contexts/task/task/state.ts';
import { deliveryStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { parsePart } from '@workledger/shared/http/parse.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { issuesPayload, payload, type IssuesPayload } from './payload.ts';
import { readReceipt, type RecordedReceipt } from './receipt.ts';
import { routeIssue, type Outcome, type RoutingRules } from './route-delivery.ts';
import { withTaskInView } from './with-task-in-view.ts';

export type DeliveryRequest = {
  /** GitHub's `X-GitHub-Event`. */
  readonly event: string;
  /** GitHub's `X-GitHub-Delivery`: the same when it is sent again. */
  readonly deliveryId: string;
  /** The body, whose signature has been verified. */
  readonly body: Uint8Array;
  readonly correlationId: string;
  readonly traceparent: string;
};

export type ReceivingOptions = {
  readonly commands: Commands;
  readonly log: EventLog;
  readonly artefacts: Artefacts;
  /** What the rules are: repositories and their trusted logins, labels. */
  readonly configuration: RoutingRules;
};

type Received = CommandData<'delivery.receive'>['received'];

/**
 * Records a verified delivery and what the rules make of it, once: a replay gets the first receipt, whatever the rules say by now.
 * @throws Problem when the body is not what GitHub sends; then nothing is recorded
 */
export async function receiveDelivery(
  { commands, log, artefacts, configuration }: ReceivingOptions,
  request: DeliveryRequest,
): Promise<RecordedReceipt & { readonly isFirst: boolean }> {
  const id = deliveryStreamId('github', request.deliveryId);
  const before = await readReceipt(log, id);
  if (before !== null) return { ...before, isFirst: false };

  const { facts, outcome } = await judge(request, configuration, log);
  const body = await artefacts.put(request.body, 'application/json');
  const received: Received = {
    provider: 'github',
    deliveryId: request.deliveryId,
    event: request.event,
    ...facts,
    body,
  };
  const commandId = newId();
  const { revision } = await commands.send(
    { type: 'delivery.receive', target: id, data: { received, outcome } },
    { commandId, actor: 'system', correlationId: request.correlationId, traceparent: request.traceparent },
  );
  const receipt = await readReceipt(log, id, revision);
  if (receipt === null) throw new LogBehind(`delivery ${id}`, revision, 'none');
  // Of two copies that came at the same time one was first: the log says which.
  return { ...receipt, isFirst: receipt.commandId === commandId };
}

async function judge(
  { event, body }: DeliveryRequest,
  routing: RoutingRules,
  log: EventLog,
): Promise<{ facts: Pick<Received, 'action' | 'repository' | 'sender'>; outcome: Outcome }> {
  const json = parseJson(body);
  const told = parsePart(payload, json, 'body');
  return {
    facts: {
      action: told.action ?? null,
      repository: told.repository?.full_name ?? null,
      sender: told.sender?.login ?? null,
    },
    outcome:
      event === 'issues'
        ? await judgeIssue(parsePart(issuesPayload, json, 'body'), routing, log)
        : { reason: event === 'ping' ? 'ping: the webhook is set up' : `event ${event} starts no work` },
  };
}

async function judgeIssue(delivery: IssuesPayload, routing: RoutingRules, log: EventLog): Promise<Outcome> {
  const outcome = routeIssue(delivery, routing);
  if (!('taskId' in outcome)) return outcome;
  return withTaskInView(outcome, (await readState(log, taskFold, outcome.taskId)).status, delivery, routing);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Problem('invalid-json', 'the body is not valid JSON in UTF-8');
  }
}
