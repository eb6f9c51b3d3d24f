import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckResult, Finding } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createdTask } from '../../testing/events/task-events.ts';
import { startReadSide, type ReadSide } from './testing.ts';

const [taskId, runId, validationId] = [newId(), newId(), newId()];
const commit = 'a'.repeat(40);

const finding = (rule: string, severity: Finding['severity'], isNew: boolean | null = null): Finding => ({
  ...{ severity, rule, message: `about ${rule}`, path: 'src/a.js', line: 3, fingerprint: rule, isNew },
});
const lint = [finding('one', 'high', true), finding('two', 'high', false), finding('three', 'low', true)];
const audit = [finding('four', 'critical')];

let side: ReadSide;
beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  const store = async (name: string, findings: readonly Finding[]): Promise<CheckResult> => ({
    ...{ name, verdict: 'failed', reason: 'findings', newFindings: null, exitCode: 1, durationMs: 5, report: null },
    counts: { critical: 0, high: 2, medium: 0, low: 1, info: 0 },
    findings: await side.artefacts.put(Buffer.from(JSON.stringify(findings)), 'application/json'),
  });
  const tests: CheckResult = { ...(await store('tests', [])), verdict: 'passed', counts: null, findings: null };
  const run = { taskId, runId };
  const report = await side.artefacts.put(Buffer.from('report'), 'text/plain');
  await side.append(streamName('task', taskId), createdTask({ repository: 'shop' }));
  const token = await side.append(
    streamName('validation', validationId),
    {
      type: 'ValidationRequested',
      data: { ...run, repository: 'shop', commit, base: commit, sendBackAllowed: false },
    },
    {
      type: 'ValidationPassed',
      data: {
        ...run,
        report,
        protectedChanges: [],
        checks: [tests, await store('lint', lint), await store('audit', audit)],
      },
    },
  );
  await side.get('/validations', { 'Consistency-Token': token });
});
afterAll(() => side.close());

const at = `/validations/${validationId}/findings`;
const rulesOf = async (query = ''): Promise<string[]> => {
  const { body } = await side.get(`${at}${query}`);
  return (body['items'] as { check: string; rule: string }[]).map(({ check, rule }) => `${check} ${rule}`);
};

test('a validation shows its named checks, with links to their reports', async () => {
  const { body } = await side.get(`/validations/${validationId}`);
  expect(body['checks']).toMatchObject([
    { name: 'tests', verdict: 'passed', counts: null, findings: null },
    {
      name: 'lint',
      counts: { high: 2 },
      findings: { href: expect.stringMatching(/^\/api\/v1\/artefacts\/[0-9a-f]{64}$/) },
    },
    { name: 'audit' },
  ]);
});

test('findings come check by check, and may be asked for by check, severity and newness', async () => {
  expect(await rulesOf()).toEqual(['lint one', 'lint two', 'lint three', 'audit four']);
  expect(await rulesOf('?check=audit')).toEqual(['audit four']);
  expect(await rulesOf('?severity=high,critical')).toEqual(['lint one', 'lint two', 'audit four']);
  expect(await rulesOf('?isNew=true')).toEqual(['lint one', 'lint three']);
  expect(await rulesOf('?isNew=false&check=lint&check=audit')).toEqual(['lint two']);
  expect(await rulesOf('?check=nothing')).toEqual([]);
});

test('findings are paged: each once, in order, until there is no next', async () => {
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 9; page++) {
    const { body } = await side.get(`${at}?limit=1${cursor}`);
    seen.push(...(body['items'] as { rule: string }[]).map(({ rule }) => rule));
    if (body['next'] === null) break;
    cursor = `&cursor=${body['next'] as string}`;
  }
  expect(seen).toEqual(['one', 'two', 'three', 'four']);
  expect((await side.get(`${at}?cursor=xyz`)).status).toBe(422);
  expect((await side.get(`${at}?severity=worst`)).status).toBe(400);
});

test('a key that is limited to other repositories sees none of it', async () => {
  const mine = await side.key('viewer', { repositories: ['shop'] });
  const theirs = await side.key('viewer', { repositories: ['other'] });
  expect((await side.get(at, {}, mine)).status).toBe(200);
  expect((await side.get(at, {}, theirs)).status).toBe(404);
  expect((await side.get(`/validations/${newId()}/findings`)).status).toBe(404);
  const { body } = await side.get(`/validations/${validationId}`);
  const findings = (body['checks'] as CheckResult[])[1]!.findings!;
  expect((await side.get(`/artefacts/${findings.digest}`, {}, mine)).status).toBe(200);
  expect((await side.get(`/artefacts/${findings.digest}`, {}, theirs)).status).toBe(404);
});
