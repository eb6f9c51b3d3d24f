import { z } from 'zod';
import { jsonOf } from '@workledger/shared/outbound/exchange.ts';
import { NotAllowed } from '@workledger/shared/outbound/failures.ts';
import type { GithubRepository } from './repository.ts';

const job = z.object({
  steps: z
    .array(
      z.object({
        name: z.string(),
        conclusion: z.string().nullish(),
        started_at: z.iso.datetime({ offset: true }).nullish(),
        completed_at: z.iso.datetime({ offset: true }).nullish(),
      }),
    )
    .nullish(),
});
type Step = NonNullable<z.infer<typeof job>['steps']>[number];

const EXCERPT = 6_000;
/** A job that has ended keeps its log: one that runs again is another job. */
const KEPT = 50;
const kept = new WeakMap<object, Map<string, string>>();

/**
 * The last lines of the step that failed, of the log of a job; empty: GitHub gives us none. Where it lies elsewhere than we may
 * follow to, that is said in its place.
 */
export async function logExcerpt(repository: GithubRepository, id: number): Promise<string> {
  const known = kept.get(repository.github) ?? new Map<string, string>();
  kept.set(repository.github, known);
  const key = `${repository.name} ${id}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = await readExcerpt(repository, id);
  if (found === null) return '';
  if (known.size >= KEPT) known.clear();
  known.set(key, found);
  return found;
}

/** Null: not now. */
async function readExcerpt({ github, name, signal }: GithubRepository, id: number): Promise<string | null> {
  const ask = (path: string) => github.ask({ repository: name, method: 'GET', path, signal });
  const answer = await ask(`/actions/jobs/${id}/logs`);
  if (answer.status === 404) return null;
  if (answer.status === 403) return '(its log is not read: the login lacks the permission actions=read)';
  if (answer.status !== 302 && answer.status !== 200) return '';
  let log = answer.body;
  try {
    if (answer.status === 302) log = await github.follow(answer, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NotAllowed) return `(its log is not read: ${error.message}: see "github.logHosts")`;
    // Whoever keeps logs is away or busy: what failed is told without.
    return null;
  }
  const told = await ask(`/actions/jobs/${id}`);
  const { steps } = job.safeParse(told.status === 200 ? jsonOf(told.body) : null).data ?? {};
  return excerptOf(log.toString('utf8'), steps?.find(({ conclusion }) => FAILED.has(conclusion ?? '')) ?? null);
}

const FAILED = new Set(['failure', 'timed_out', 'cancelled']);
const LINE = /^\uFEFF?(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$/;
/** What is for terminals only. */
const CONTROL = /\u001B\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000B-\u001F]/g;

/**
 * Of a log whose lines begin with their time, what was said while the step ran, up to the last error: what comes after it cleans up.
 * @param step that failed; null: it is not known which
 */
export function excerptOf(log: string, step: Step | null): string {
  const lines = log.split(/\r?\n/).map((line) => {
    const [, at, text] = LINE.exec(line) ?? [];
    return { at: at === undefined ? null : Date.parse(at), text: (text ?? line).replaceAll(CONTROL, '') };
  });
  const from = step?.started_at ? Date.parse(step.started_at) : -Infinity;
  // Steps are told by the second.
  const to = step?.completed_at ? Date.parse(step.completed_at) + 999 : Infinity;
  let at = from;
  const within = lines.filter((line) => {
    at = line.at ?? at;
    return at >= from && at <= to;
  });
  const ofStep = within.length === 0 ? lines : within;
  const last = ofStep.findLastIndex(({ text }) => text.startsWith('##[error]'));
  const told = ofStep
    .slice(0, last < 0 ? ofStep.length : last + 1)
    .map(({ text }) =>
      text.replace(/^##\[(?:end)?group\]|^##\[error\]/, (mark) => (mark === '##[error]' ? 'error: ' : '')),
    )
    .filter((text) => text.trim() !== '')
    .join('\n');
  if (told === '') return '';
  const head = step === null ? 'the end of its log' : `the end of its log, step "${step.name}"`;
  return `${head}:\n${told.slice(-EXCERPT)}`;
}
