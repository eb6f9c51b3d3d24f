import type { z } from 'zod';
import { Postponed } from '../../engine/component.ts';
import { repositoryOf, type TaskText } from '../environment.ts';
import { failureOf } from '../failures.ts';
import type { Answer } from '@workledger/shared/outbound/exchange.ts';
import { defineComponent, type Call, type ComponentDefinition, type InRun, type Limits } from '../run-component.ts';
import { nextPage, readAnswer } from './answers.ts';
import { asGithubFailure } from './classify.ts';
import type { Github, GithubAsked } from './github.ts';

/** A repository on GitHub, as one call of a component speaks to it. */
export type GithubRepository = {
  /** `owner/name`, as addresses have it. */
  readonly name: string;
  readonly owner: string;
  readonly github: Github;
  readonly step: string;
  readonly signal: AbortSignal;
  /** What is there. @throws ComponentFailure where it is refused */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>>;
  /** Null: there is none. */
  find<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema> | null>;
  /** All pages. @param schema of one page @param items of one page */
  list<Schema extends z.ZodType, Item>(
    path: string,
    schema: Schema,
    items: (page: z.infer<Schema>) => readonly Item[],
  ): Promise<Item[]>;
  /** Changes something; the answer, also a refusal. */
  change(method: Exclude<GithubAsked['method'], 'GET'>, path: string, body?: object): Promise<Answer>;
  read<Schema extends z.ZodType>(answer: Answer, schema: Schema): z.infer<Schema>;
};

/** At 100 a page. What has more of anything is looked at as far as this. */
const MOST_PAGES = 30;

/** @throws Postponed while GitHub, or the repository's name there, is not in the configuration */
export function openRepository({ environment, step, signal, key }: Call, request: InRun): GithubRepository {
  const { github } = environment;
  const registered = repositoryOf(environment, step, request.repository).github;
  if (github === null || github === undefined)
    throw new Postponed(failureOf(step, 'GitHub is not in the configuration: add "github" and start again'));
  if (registered === null) {
    const reason = `repository "${request.repository}" has no "github" (owner/name) in the configuration: add it and start again`;
    throw new Postponed(failureOf(step, reason));
  }
  const name = registered.split('/').map(encodeURIComponent).join('/');
  const get = (path: string): Promise<Answer> => github.ask({ repository: name, method: 'GET', path, signal });
  const read: GithubRepository['read'] = (answer, schema) => readAnswer(step, answer, schema, name);
  return {
    ...{ name, github, step, signal, read },
    owner: name.split('/')[0] ?? '',
    get: async (path, schema) => read(await get(path), schema),
    find: async (path, schema) => {
      const answer = await get(path);
      return answer.status === 404 ? null : read(answer, schema);
    },
    list: async (path, schema, items) => {
      const found: ReturnType<typeof items>[number][] = [];
      let next: string | undefined = path;
      for (let page = 0; next !== undefined && page < MOST_PAGES; page++) {
        const answer: Answer = await get(next);
        found.push(...items(read(answer, schema)));
        next = nextPage(answer);
      }
      return found;
    },
    change: (method, path, body) => github.ask({ repository: name, method, path, body, signal, key }),
  };
}

/** Of components that ask GitHub only: its answers, and its turns, take seconds. */
const limits: Limits = { turns: { atOnce: () => 16 }, seconds: () => 240 };

type GithubComponent<Request extends z.ZodType<InRun>, Result extends z.ZodType> = {
  readonly request: Request;
  readonly result: Result;
  act(request: z.infer<Request>, repository: GithubRepository, call: Call): Promise<z.infer<Result>>;
};

/** A component that speaks to GitHub about one repository. */
export const githubComponent = <Request extends z.ZodType<InRun>, Result extends z.ZodType>({
  request,
  result,
  act,
}: GithubComponent<Request, Result>): ComponentDefinition<Request, Result> =>
  defineComponent({
    ...{ request, result, limits },
    perform: async (asked, call) => {
      try {
        return await act(asked, openRepository(call, asked), call);
      } catch (error) {
        throw asGithubFailure(call.step, error);
      }
    },
  });

/** The issue that a task came from, where it is of this repository; null: none. */
export function issueOf(
  source: Pick<NonNullable<TaskText['source']>, 'kind' | 'reference'> | null | undefined,
  repository: string,
): number | null {
  const [, name, number] = /^(.+)#([1-9]\d*)$/.exec((source?.kind === 'github' && source.reference) || '') ?? [];
  return name?.toLowerCase() === repository.toLowerCase() ? Number(number) : null;
}
