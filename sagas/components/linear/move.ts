import { z } from 'zod';
import type { Call } from '../run-component.ts';
import type { ReplyRequest } from '../replies/reply.ts';
import type { Linear } from './linear.ts';

const state = z.object({ id: z.string(), name: z.string(), type: z.string(), position: z.number() });
const issue = z.object({
  issue: z.object({ id: z.string(), state, team: z.object({ states: z.object({ nodes: z.array(state) }) }) }),
});
const LOOK = `query($id: String!) { issue(id: $id) { id state { id name type position }
  team { states(first: 100) { nodes { id name type position } } } } }`;
const updated = z.object({ issueUpdate: z.object({ success: z.literal(true) }) });
const MOVE =
  'mutation($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success issue { id } } }';

/** As Linear orders them; what is cancelled is as far as what is complete. */
const ORDER = ['triage', 'backlog', 'unstarted', 'started', 'completed', 'canceled', 'duplicate'];

/**
 * Brings the issue to the state that the configuration has for this stage; never over what a person did: a state that is not the one that
 * was seen last stays, and the first move only leads forward.
 * @returns the state that it was seen or brought to; null: none is configured
 */
export async function moveIssue(
  { ask, states }: Linear,
  { place, stage, state: last }: ReplyRequest,
  { signal, environment, step }: Call,
): Promise<string | null> {
  const name = stage === null ? undefined : states[stage];
  if (name === undefined) return last;
  const { id, state: now, team } = (await ask(LOOK, { id: place }, issue, { signal, idempotent: true })).issue;
  const wanted = team.states.nodes.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (wanted === undefined) {
    environment.logger.warn({ component: `linear.${step}`, issue: place, state: name }, 'the team has no such state');
    return last;
  }
  if (now.id === wanted.id) return now.id;
  const isOurs = last === null ? isBefore(now, wanted) : now.id === last;
  // Kept as it was seen: whoever moved it meanwhile has moved it for good.
  if (!isOurs) return last ?? 'left to people';
  await ask(MOVE, { id, input: { stateId: wanted.id } }, updated, { signal, idempotent: true });
  return wanted.id;
}

type State = z.infer<typeof state>;

function isBefore(now: State, wanted: State): boolean {
  const [from, to] = [ORDER.indexOf(now.type), ORDER.indexOf(wanted.type)];
  if (from >= ORDER.indexOf('completed')) return false;
  return from < to || (from === to && now.position < wanted.position);
}
