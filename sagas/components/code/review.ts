import { z } from 'zod';
import type { AgentConfiguration, Repository } from '@workledger/shared/config/schema.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import { agentTold, artefact } from '@workledger/shared/contexts/values.ts';
import { diffText, fetchOrigin, hasCommit, mergeBase } from '../git/commits.ts';
import { gitAtOrigin } from '../git/at-origin.ts';
import { restorePaths } from '../git/make-commit.ts';
import { asCommit } from '../git/names.ts';
import { protectedPathsOf } from '../git/protected-paths.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf, refuse } from '../failures.ts';
import { inRun } from '../run-component.ts';
import { runPrompted } from './agent.ts';
import { codeComponent, type CodeAttempt } from './code-component.ts';
import { runAll } from './validate.ts';
import { removeReport, takeReport } from './report-file.ts';
import { readReview, REVIEW_FILE, reviewPrompt, type ReviewFinding } from './review-words.ts';
import { agentLimits } from './work.ts';

const request = inRun.extend({
  /** Of the pull request, which may come from a fork. */
  number: z.int().positive(),
  head: z.string(),
  /** What its base branch has. */
  base: z.string(),
  /** Not: nothing of the repository's commands is run, and its agent has neither its usual home nor the repository's variables. */
  isTrusted: z.boolean(),
});

const result = z.object({
  /** Summary and findings, as JSON. */
  report: artefact,
  findings: z.int().min(0),
  prompt: artefact,
  output: artefact,
  exitCode: z.number().nullable(),
  costUsd: z.number().nullable(),
  agent: agentTold.optional(),
  durationMs: z.number(),
});

const MOST_DIFF_BYTES = 400_000;

/** Reads a pull request's head, and lets an agent say what it finds; of who is trusted the checks are run, too. Nothing is changed anywhere. */
export const review = codeComponent({
  request,
  result,
  limits: agentLimits,
  act: async (asked, code): Promise<z.infer<typeof result>> => {
    const { environment, mirror, secrets } = code;
    const { reviews } = code.repository;
    if (reviews === null) return refuse('review', `repository "${code.repository.name}" has no "reviews"`);
    const agent = environment.configuration.agents.find(({ name }) => name === reviews.agent);
    if (agent === undefined) return refuse('review', `agent "${reviews.agent}" is none of the configured agents`);
    if (!asked.isTrusted && !environment.sandbox)
      return refuse('review', 'the code of a stranger is reviewed in a sandbox only, and there is none here');
    const from = await fetchHead(code, asked);
    const patch = secrets.text((await diffText(mirror, from, asked.head, MOST_DIFF_BYTES)).toString('utf8'));
    const checked = asked.isTrusted && reviews.checks ? await runChecks(code, asked, from) : [];
    const checkout = await code.checkout('review', asked.head);
    await removeReport(checkout.path, REVIEW_FILE);
    const apart = asked.isTrusted ? { code, agent } : ofStranger(code, agent);
    const prompt = reviewPrompt({ number: asked.number, patch, checked });
    const ran = await runPrompted({ ...apart.code, note: undefined }, apart.agent, checkout, prompt);
    const taken = await takeReport(checkout.path, REVIEW_FILE);
    if ('problem' in taken) throw ran.fail(`the agent left no review: ${taken.problem}`);
    const said = readReview(secrets.text(taken.bytes.toString('utf8')).toWellFormed());
    if (typeof said === 'string') throw ran.fail(`the agent's review cannot be read: ${said}`);
    const findings = [...checked, ...said.findings];
    const whole = Buffer.from(JSON.stringify({ summary: said.summary, findings }));
    const report = await environment.artefacts.put(whole, 'application/json');
    const { fail: _, ...told } = ran;
    return { ...told, report, findings: findings.length };
  },
});

/** Brings the head here, by the ref that its host keeps of every pull request. @returns the commit that it began from */
async function fetchHead({ mirror, signal }: CodeAttempt, { number, head, base, taskId }: z.infer<typeof request>) {
  await fetchOrigin(mirror, null, signal);
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', mirror.url, `refs/pull/${number}/head`];
  if (!(await hasCommit(mirror, asCommit(head)))) await gitAtOrigin(mirror, args, { cwd: mirror.gitFolder, signal });
  if (!(await hasCommit(mirror, head)))
    throw new ComponentFailure(failureOf('review', `pull request #${number} has another head by now`), {
      ...{ retryable: false, fault: 'origin' },
    });
  const from = await mergeBase(mirror, head, base);
  return from ?? refuse('review', `${taskId}: ${head} shares no history with its base`);
}

/** Tests and named checks, with protected paths as in the base: what does not pass, as findings. */
async function runChecks(code: CodeAttempt, { head, taskId }: z.infer<typeof request>, base: string) {
  const { mirror, signal, repository } = code;
  const judged = await restorePaths(mirror, { commit: head, base, pathspecs: protectedPathsOf(repository), signal });
  const checkout = await code.checkout('checks', judged.commit);
  const { runs, checks } = await runAll(code, checkout, { taskId, commit: judged.commit, base });
  const failed: ReviewFinding[] = runs.flatMap(({ step, problem }) =>
    problem === null ? [] : [{ path: null, line: null, severity: 'high', message: `${step}: ${problem}` }],
  );
  const told = checks.flatMap(({ result: { name, verdict, reason }, findings }): ReviewFinding[] => {
    if (verdict !== 'failed' && verdict !== 'advised') return [];
    const fresh = findings.filter(({ isNew }) => isNew !== false).slice(0, MOST_OF_CHECK);
    if (fresh.length === 0) return [{ path: null, line: null, severity: 'medium', message: `${name}: ${reason}` }];
    return fresh.map(({ path, line, severity, message }) => ({
      ...{ path, line, severity, message: `${name}: ${foreignText(message, 2_000)}` },
    }));
  });
  return [...failed, ...told];
}

const MOST_OF_CHECK = 30;

/** What a stranger wrote may talk an agent into anything: it has nothing that is worth it, and leaves nothing behind. */
function ofStranger(code: CodeAttempt, agent: AgentConfiguration) {
  const nothing = { read: [], write: [], allowHosts: [], environment: [], secrets: [], variables: {} };
  const repository: Repository = { ...code.repository, ...nothing };
  return { code: { ...code, repository }, agent: { ...agent, write: [], name: `${agent.name}+review` } };
}
