import { bad, patch, post, type BadRequest } from './bad-request.ts';

const PRODUCTION = '/configuration/environments/production';
const reason = 'x';
const set = (path: string, value: unknown) => patch(PRODUCTION, { reason, changes: [{ path, value }] });
const put = (content: unknown) => ({ method: 'PUT', path: PRODUCTION, call: { body: { reason, content } } });

/** Changes of the configuration. */
export const badConfigurations: readonly BadRequest[] = [
  bad('values of no environment', 400, 'invalid-request', () =>
    patch('/configuration/environments/moon', { reason, changes: [{ path: '/limits/leaseSeconds', value: 90 }] }),
  ),
  bad('a change without a reason', 400, 'invalid-request', () =>
    patch(PRODUCTION, { changes: [{ path: '/limits/leaseSeconds', value: 90 }] }),
  ),
  bad('no change at all', 400, 'invalid-request', () => patch(PRODUCTION, { reason, changes: [] })),
  bad('a change of what the API does not change', 400, 'invalid-request', () => set('/port', 80)),
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
    patch(PRODUCTION, { reason, changes: [{ path: '/limits/leaseSeconds', value: 90 }] }, { key: viewer }),
  ),
  bad('a change meant for another revision', 412, 'revision-mismatch', () =>
    patch(
      PRODUCTION,
      { reason, changes: [{ path: '/limits/leaseSeconds', value: 90 }] },
      { headers: { 'If-Match': '"7"' } },
    ),
  ),
  bad('a way back to a revision that there is not', 422, 'unknown-reference', () =>
    post('/configuration/rollback', { environment: 'production', to: 7_000, reason }),
  ),
  bad('a flag that there is not', 404, 'not-found', () =>
    post('/configuration/flags/nothing/evaluate', { subject: 'x' }),
  ),
  bad('a flag for nobody', 400, 'invalid-request', () => post('/configuration/flags/nothing/evaluate', {})),
];
