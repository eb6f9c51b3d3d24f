import type { Call } from '@workledger/shared/client/client.ts';
import { bad, patch, post, type BadRequest, type Request } from './bad-request.ts';

const PRODUCTION = '/configuration/environments/production';
const reason = 'x';
const set = (path: string, value: unknown) => patch(PRODUCTION, { reason, changes: [{ path, value }] });
const put = (content: unknown, call: Call = {}): Request => ({
  method: 'PUT',
  path: PRODUCTION,
  call: { ...call, body: { reason, content } },
});
const get = (path: string): Request => ({ method: 'GET', path: `/configuration${path}`, call: {} });
const back = (more: object, call: Call = {}): Request =>
  post('/configuration/rollback', { environment: 'production', to: -1, reason, ...more }, call);
const lease = [{ path: '/limits/leaseSeconds', value: 90 }];

/** Changes of the configuration. */
export const badConfigurations: readonly BadRequest[] = [
  bad('values of no environment', 400, 'invalid-request', () =>
    patch('/configuration/environments/moon', { reason, changes: lease }),
  ),
  bad('a change without a reason', 400, 'invalid-request', () => patch(PRODUCTION, { changes: lease })),
  bad('no change at all', 400, 'invalid-request', () => patch(PRODUCTION, { reason, changes: [] })),
  bad('a change of what the API does not change', 400, 'invalid-request', () => set('/port', 80)),
  bad('what the app is installed for, said by a person', 400, 'invalid-request', () =>
    set('/installed/acme~1shop', { url: '/srv/x', baseBranch: 'main' }),
  ),
  bad('a change by no pointer', 400, 'invalid-request', () => set('limits.leaseSeconds', 90)),
  bad('a limit out of its bounds', 422, 'out-of-range', () => set('/limits/leaseSeconds', 1)),
  bad('a limit that there is not', 422, 'out-of-range', () => set('/limits/port', 80)),
  bad('a part of a value', 422, 'out-of-range', () => set('/repositories/x/evolve/metric', 'ms')),
  bad('a repository without a test', 422, 'out-of-range', () => set('/repositories/x', { url: '/srv/x' })),
  bad('a secret in the configuration', 422, 'out-of-range', () => set('/flags/x/description', `ghp_${'a'.repeat(36)}`)),
  bad('a flag for more than all', 422, 'out-of-range', () => set('/flags/x/percentage', 101)),
  bad('an overlay of no component', 422, 'out-of-range', () => set('/overlays/x/limits/leaseSeconds', 90)),
  bad('content of no section', 400, 'invalid-request', () => put({ ports: {} })),
  bad('content that is none', 400, 'invalid-request', () => put([])),
  bad('content that is too large', 413, 'too-large', () => put({ flags: { x: { description: 'x'.repeat(120_000) } } })),
  bad('a command of an agent, changed by an operator', 403, 'forbidden', ({ operator }) =>
    patch(PRODUCTION, { reason, changes: [{ path: '/agents/x/command', value: ['x'] }] }, { key: operator }),
  ),
  bad("a limit changed under a viewer's key", 403, 'forbidden', ({ viewer }) =>
    patch(PRODUCTION, { reason, changes: lease }, { key: viewer }),
  ),
  bad('a change meant for another revision', 412, 'revision-mismatch', () =>
    patch(PRODUCTION, { reason, changes: lease }, { headers: { 'If-Match': '"7"' } }),
  ),
  bad('a way back to a revision that there is not', 422, 'unknown-reference', () =>
    post('/configuration/rollback', { environment: 'production', to: 7_000, reason }),
  ),
  bad('a flag that there is not', 404, 'not-found', () =>
    post('/configuration/flags/nothing/evaluate', { subject: 'x' }),
  ),
  bad('a flag for nobody', 400, 'invalid-request', () => post('/configuration/flags/nothing/evaluate', {})),
  ...[
    { path: '/repositories/x/generate', value: { autogenlib: { python: '/tmp/x' } } },
    { path: '/repositories/x/merge', value: 'fast-forward' },
    { path: '/repositories/x/agent', value: 'x' },
    { path: '/agents/x/limits', value: { memoryBytes: null } },
  ].map((change) =>
    bad(`${change.path}, changed by an operator`, 403, 'forbidden', ({ operator }) =>
      patch(PRODUCTION, { reason, changes: [change] }, { key: operator }),
    ),
  ),
  bad('all of the configuration with a command, set by an operator', 403, 'forbidden', ({ operator }) =>
    put({ repositories: { x: { test: ['x'] } } }, { key: operator }),
  ),
  bad("all of the configuration, set under a viewer's key", 403, 'forbidden', ({ viewer }) => put({}, { key: viewer })),
  bad('all of the configuration, set for another revision', 412, 'revision-mismatch', () =>
    put({ limits: { leaseSeconds: 90 } }, { headers: { 'If-Match': '"7"' } }),
  ),
  bad('a change for an empty reason', 400, 'invalid-request', () => patch(PRODUCTION, { reason: '', changes: lease })),
  bad('a change with more than a path and a value', 400, 'invalid-request', () =>
    patch(PRODUCTION, { reason, changes: [{ op: 'replace', ...lease[0] }] }),
  ),
  bad('more changes than one revision takes', 400, 'invalid-request', () =>
    patch(PRODUCTION, { reason, changes: Array.from({ length: 501 }, () => lease[0]) }),
  ),
  bad('a change meant for no revision', 400, 'invalid-request', () =>
    patch(PRODUCTION, { reason, changes: lease }, { headers: { 'If-Match': '7' } }),
  ),
  bad('a change of a part of a part', 400, 'invalid-request', () => set('/repositories/x/evolve/openevolve/file', 'x')),
  bad('a name that is none', 422, 'out-of-range', () => set('/rules/__proto__/label', 'x')),
  bad('a name of the path that is another one', 422, 'out-of-range', () => set('/rules/x/name', 'y')),
  bad('a limit of a service that never reads it', 422, 'out-of-range', () =>
    set('/overlays/runner/limits/leaseSeconds', 90),
  ),
  bad('an overlay of a repository', 422, 'out-of-range', () => set('/overlays/sagas/repositories/x', {})),
  bad('a repository with an unknown field', 422, 'out-of-range', () => set('/repositories/x', { colour: 'red' })),
  bad('a way back without a reason', 400, 'invalid-request', () => back({ reason: undefined })),
  bad('a way back of no environment', 400, 'invalid-request', () => back({ environment: 'moon' })),
  bad('a way back beyond the file', 400, 'invalid-request', () => back({ to: -2 })),
  bad('a way back to half a revision', 400, 'invalid-request', () => back({ to: 0.5 })),
  bad("a way back under a viewer's key", 403, 'forbidden', ({ viewer }) => back({}, { key: viewer })),
  bad('a way back from another revision', 412, 'revision-mismatch', () => back({}, { headers: { 'If-Match': '"7"' } })),
  bad('values of an environment that there is not', 400, 'invalid-request', () => get('/environments/moon')),
  bad('values of a service that there is not', 400, 'invalid-request', () => get('?component=kitchen')),
  bad('revisions of no environment', 400, 'invalid-request', () => get('/revisions?environment=moon')),
  bad('no revisions at all', 400, 'invalid-request', () => get('/revisions?limit=0')),
  bad('revisions after a place that there is not', 422, 'unknown-cursor', () => get('/revisions?cursor=x')),
  bad('a revision that is no number', 400, 'invalid-request', () => get('/revisions/newest')),
  bad('a revision that there is not', 404, 'not-found', () => get('/revisions/7000')),
  bad('what leads to nowhere', 400, 'invalid-request', () => get('/diff?from=-1')),
  bad('what leads from a revision that there is not', 404, 'not-found', () => get('/diff?from=7000&to=-1')),
  bad('whether a flag that there is not is on', 404, 'not-found', () => get('/flags/nothing/evaluate?subject=x')),
  bad('whether a flag is on for nobody', 400, 'invalid-request', () => get('/flags/nothing/evaluate')),
  bad('whether a flag is on for an attribute without a value', 400, 'invalid-request', () =>
    get('/flags/nothing/evaluate?subject=x&attribute=repository'),
  ),
  bad('a flag for attributes that are none', 400, 'invalid-request', () =>
    post('/configuration/flags/nothing/evaluate', { subject: 'x', attributes: { repository: 7 } }),
  ),
];
