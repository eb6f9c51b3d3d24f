import type { z } from 'zod';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import { jsonOf, type Answer } from '@workledger/shared/outbound/exchange.ts';
import { classifyGithub, refusalOf } from './classify.ts';

/** The version is named: without it, an answer's fields may change with GitHub's default. */
export const GITHUB_HEADERS = {
  Accept: 'application/vnd.github+json',
  'X-GitHub-Api-Version': '2022-11-28',
} as const;

/** @throws ComponentFailure always: what was refused, as the failure of a step */
export function refused(step: string, answer: Answer, repository: string): never {
  const { reason, ...options } = classifyGithub(refusalOf(answer), repository);
  throw new ComponentFailure(failureOf(step, reason), options);
}

/** What an answer holds. @throws ComponentFailure for a refusal, and for an answer of which nothing can be made */
export function readAnswer<Schema extends z.ZodType>(
  step: string,
  answer: Answer,
  schema: Schema,
  repository: string,
): z.infer<Schema> {
  if (answer.status >= 300) refused(step, answer, repository);
  const read = schema.safeParse(jsonOf(answer.body));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const reason = `GitHub's answer cannot be read (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`;
  throw new ComponentFailure(failureOf(step, reason), { retryable: true, fault: 'origin' });
}

const NEXT = /<([^<>]*)>;[^,<]*\brel="next"/;
/** Where a list goes on; undefined: it ends here. */
export const nextPage = ({ headers }: Answer): string | undefined =>
  NEXT.exec([headers.link ?? ''].flat().join(','))?.[1];
