import { startJsonServer, type Asked, type ServerAnswer } from '../slack/server.ts';

type FakeState = { readonly id: string; readonly name: string; readonly type: string; readonly position: number };
export type FakeIssue = { readonly id: string; readonly identifier: string; state: FakeState };
type FakeComment = { readonly id: string; readonly issueId: string; body: string };

const STATES: readonly FakeState[] = [
  { id: 'state-backlog', name: 'Backlog', type: 'backlog', position: 0 },
  { id: 'state-todo', name: 'Todo', type: 'unstarted', position: 1 },
  { id: 'state-progress', name: 'In Progress', type: 'started', position: 2 },
  { id: 'state-review', name: 'In Review', type: 'started', position: 3 },
  { id: 'state-done', name: 'Done', type: 'completed', position: 4 },
  { id: 'state-canceled', name: 'Canceled', type: 'canceled', position: 5 },
];
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LIMIT = 1_500;

/** Errors come with 200, as with 400: what is in `errors` counts. */
const refused = (message: string, extensions: object, status = 200): ServerAnswer => ({
  ...{ status, body: { errors: [{ message, extensions }], data: null } },
});
const invalid = (what: string): ServerAnswer =>
  refused(`Argument Validation Error - ${what}`, {
    code: 'INVALID_INPUT',
    type: 'invalid input',
    userPresentableMessage: what,
  });
const notFound = (what: string): ServerAnswer =>
  refused(`Entity not found: ${what}`, {
    ...{ code: 'INPUT_ERROR', type: 'invalid input' },
    userPresentableMessage: `Could not find referenced ${what}.`,
  });

/** Linear's GraphQL over HTTP, as far as Workledger asks it; a query is known by its first field. */
export async function startFakeLinear({ token = 'lin_api_fakefakefakefake' } = {}) {
  const issues = new Map<string, FakeIssue>();
  const comments: FakeComment[] = [];
  const attachments: { readonly url: string; readonly issueId: string }[] = [];
  const quota = { remaining: LIMIT, resetAt: Date.now() + 3_600_000 };

  const server = await startJsonServer(
    (_method, { pathname }, body) => {
      const { query = '', variables = {} } = JSON.parse(body) as {
        query?: string;
        variables?: Record<string, unknown>;
      };
      const field = /\{\s*(\w+)/.exec(query)?.[1] ?? '';
      return { name: pathname === '/graphql' ? field : pathname, data: variables };
    },
    (asked) => {
      const answer = quota.remaining <= 0 && quota.resetAt > Date.now() ? limited : answerTo(asked);
      if (quota.remaining > 0) quota.remaining -= 1;
      return { ...answer, headers: { ...headers(), ...answer.headers } };
    },
  );
  const limited = refused('Rate limit exceeded', { code: 'RATELIMITED', type: 'ratelimited' }, 400);
  const headers = (): Record<string, string> => ({
    'X-RateLimit-Requests-Limit': String(LIMIT),
    'X-RateLimit-Requests-Remaining': String(quota.remaining),
    'X-RateLimit-Requests-Reset': String(quota.resetAt),
  });
  const issueOf = (id: unknown): FakeIssue | undefined =>
    [...issues.values()].find((each) => each.id === id || each.identifier === id);

  function answerTo({ name, headers: given, data }: Asked): ServerAnswer {
    if (given.authorization !== token)
      return refused(
        'Authentication required, not authenticated',
        {
          ...{ code: 'AUTHENTICATION_ERROR', type: 'authentication error' },
          userPresentableMessage: 'You need to authenticate to access this operation.',
        },
        401,
      );
    const input = (data['input'] ?? {}) as Readonly<Record<string, unknown>>;
    switch (name) {
      case 'viewer':
        return okay({ viewer: { id: 'us' } });
      case 'issue': {
        const issue = issueOf(data['id']);
        return issue === undefined
          ? notFound('Issue')
          : okay({ issue: { ...issue, team: { states: { nodes: STATES } } } });
      }
      case 'attachmentsForURL': {
        const attached = attachments.filter(({ url }) => url === data['url']);
        return okay({ attachmentsForURL: { nodes: attached.map(({ issueId }) => ({ issue: issueOf(issueId) })) } });
      }
      case 'comment': {
        const comment = comments.find(({ id }) => id === data['id']);
        return comment === undefined ? notFound('Comment') : okay({ comment });
      }
      case 'commentCreate':
        return createComment(input);
      case 'commentUpdate': {
        const comment = comments.find(({ id }) => id === data['id']);
        if (comment === undefined) return notFound('Comment');
        comment.body = String(input['body']);
        return okay({ commentUpdate: { success: true, comment } });
      }
      case 'issueUpdate': {
        const issue = issueOf(data['id']);
        const state = STATES.find(({ id }) => id === input['stateId']);
        if (issue === undefined || state === undefined)
          return notFound(issue === undefined ? 'Issue' : 'WorkflowState');
        issue.state = state;
        return okay({ issueUpdate: { success: true, issue } });
      }
      default:
        return refused(
          `Cannot query field "${name}"`,
          { code: 'GRAPHQL_VALIDATION_FAILED', type: 'graphql error' },
          400,
        );
    }
  }

  function createComment(input: Readonly<Record<string, unknown>>): ServerAnswer {
    const { id, issueId, body } = input;
    if (typeof id !== 'string' || !UUID4.test(id)) return invalid('id must be a UUID');
    if (typeof body !== 'string' || body === '') return invalid('body should not be empty');
    if (issueOf(issueId) === undefined) return notFound('Issue');
    if (comments.some((each) => each.id === id)) return invalid(`comment ${id} exists already`);
    const comment = { id, issueId: String(issueId), body };
    comments.push(comment);
    return okay({ commentCreate: { success: true, comment } });
  }

  return {
    ...server,
    ...{ token, issues, comments, quota, attachments },
    addIssue: (identifier: string, id: string, state = 'Todo'): FakeIssue => {
      const issue = { id, identifier, state: stateOf(state) };
      issues.set(id, issue);
      return issue;
    },
  };
}

const okay = (data: object): ServerAnswer => ({ body: { data } });

export const stateOf = (name: string): FakeState => STATES.find((each) => each.name === name) ?? STATES[0]!;
