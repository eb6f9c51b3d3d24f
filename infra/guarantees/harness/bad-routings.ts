import { newId } from '@workledger/shared/contexts/stream.ts';
import { bad, post, type BadRequest, type Known, type Request } from './bad-request.ts';

const ROUTE = '/autonomous/ai/route';
const asked = { task_type: 'bug', complexity: 'low' };
const put =
  (json: object) =>
  ({ task }: Known): Request => ({ method: 'PUT', path: `/tasks/${task}`, call: { body: json } });

/** Choices of models, and statuses that somebody sets. */
export const badRoutings: readonly BadRequest[] = [
  bad('a model for a task of no complexity', 400, 'invalid-request', () => post(ROUTE, { task_type: 'bug' })),
  bad('a model for an unknown complexity', 400, 'invalid-request', () => post(ROUTE, { ...asked, complexity: 'huge' })),
  bad('a model for less than no tokens', 400, 'invalid-request', () =>
    post(ROUTE, { ...asked, context: { input_tokens: -1 } }),
  ),
  bad('a model for an unknown repository', 422, 'unknown-repository', () =>
    post(ROUTE, { ...asked, context: { repository: 'nowhere' } }),
  ),
  bad('a model where none is configured', 422, 'unknown-reference', () => post(ROUTE, asked)),
  bad("a model under a viewer's key", 403, 'forbidden', ({ viewer }) => post(ROUTE, asked, { key: viewer })),
  bad('an outcome of an unknown choice', 404, 'not-found', () =>
    post(`${ROUTE}/${newId()}/outcome`, { succeeded: true }),
  ),
  bad('an outcome that does not say how it was', 400, 'invalid-request', () => post(`${ROUTE}/${newId()}/outcome`, {})),
  bad('a status that there is not', 400, 'invalid-request', put({ status: 'done' })),
  bad('a status of work that nobody does', 409, 'illegal-transition', put({ status: 'complete' })),
  bad('a status for nobody', 422, 'out-of-range', put({ status: 'in-progress' })),
];
