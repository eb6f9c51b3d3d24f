import type { Embeddings } from '@workledger/shared/embeddings/port.ts';
import { readState } from '@workledger/shared/aggregate/read-state.ts';
import { ArtefactDamaged, type Artefacts } from '@workledger/shared/artefacts/port.ts';
import {
  type AgentConfiguration,
  type Configuration,
  notRegistered,
  type Repository,
} from '@workledger/shared/config/schema.ts';
import { derivedId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import { taskFold, type TaskDetails, type TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { Codegen } from './codegen/codegen.ts';
import type { Drain } from './drain.ts';
import type { Outcomes } from './generation/outcomes.ts';
import type { Github } from './github/github.ts';
import type { Breakers } from './limits.ts';
import type { Linear } from './linear/linear.ts';
import type { Models } from './models/models.ts';
import type { Slack } from './slack/slack.ts';
import { Postponed } from '../engine/component.ts';
import { failureOf, refuse } from './failures.ts';
import type { Sandbox } from './sandbox/policy.ts';

/** What lets git in at origins, and what of it nothing may say. */
export type GitLogins = Pick<Github, 'gitToken' | 'secrets'>;

/** Fields first, then the message: pino's way. */
type ComponentLogger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

/** What every component of this process may use. */
export type ComponentEnvironment = {
  readonly configuration: Pick<Configuration, 'repositories' | 'agents'> &
    Partial<Pick<Configuration, 'retention' | 'publicUrl' | 'flags' | 'environment' | 'installed'>>;
  /** What was configured at a revision; left out: it is never changed. */
  readonly configurationAt?: (revision: number) => Promise<ComponentEnvironment['configuration']>;
  readonly artefacts: Artefacts;
  readonly readTask: ReadTask;
  /** Absolute path; mirrors, worktrees and attempt records lie in here. */
  readonly dataFolder: string;
  readonly logger: ComponentLogger;
  /** What programs that are not Workledger's own run in; null or absent: in nothing. */
  readonly sandbox?: Sandbox | null | undefined;
  /** GitHub as the configuration has it; null or absent: it has it not. */
  readonly github?: Github | null | undefined;
  /** Who gives tokens to git; left out: GitHub, where it is configured. A runner asks sagas. */
  readonly gitLogins?: GitLogins | null | undefined;
  readonly linear?: Linear | null | undefined;
  readonly slack?: Slack | null | undefined;
  readonly codegen?: Codegen | null | undefined;
  /** Language models that are asked by us; null or absent: none can be. */
  readonly models?: Models | null | undefined;
  /** Computes what texts mean; null or absent: nothing does. */
  readonly embeddings?: Embeddings | null | undefined;
  /** How attempts came out before; left out: nobody keeps that. */
  readonly outcomes?: Outcomes | undefined;
  /** Left out: nobody asks of questions here. */
  readonly readQuestion?: ReadQuestion | undefined;
  /** Of the process that guards the calls. */
  readonly drain?: Drain | undefined;
  /** Of the process that guards the calls, for who looks at them. */
  readonly breakers?: Breakers | undefined;
};

/** @throws Postponed while no such repository is registered */
export function repositoryOf(
  { configuration }: Pick<ComponentEnvironment, 'configuration'>,
  step: string,
  name: string,
): Repository {
  const found = configuration.repositories.find((repository) => repository.name === name);
  if (found === undefined) throw new Postponed(failureOf(step, notRegistered(name)));
  return found;
}

/** @throws ComponentFailure when the agent is none that Workledger runs itself */
export function agentOf(environment: ComponentEnvironment, step: string, agentId: string): AgentConfiguration {
  const found = environment.configuration.agents.find((agent) => agentIdOf(agent.name) === agentId);
  return found ?? refuse(step, `agent ${agentId} is none of the configured command agents: see "agents"`);
}

/** The id under which an agent of the configuration is registered: the same after every start. */
export const agentIdOf = (name: string): string => derivedId('agent', name);

/** The words of a task. They stay in the task's own stream: what persons wrote is not copied into requests and results. */
export type TaskText = Pick<TaskDetails, 'title' | 'description'> & {
  readonly labels?: TaskDetails['labels'];
  readonly capabilities?: TaskState['capabilities'];
  readonly complexity?: TaskDetails['complexity'];
  /** What a person said of the work last; null: nobody did. */
  readonly words: string | null;
  /** Where the request came from; left out: not told, or from before that was kept. */
  readonly source?: TaskState['source'];
};

export type ReadTask = (taskId: string) => Promise<TaskText>;

/** Reads a task's words from the log, as they are now. @throws LogBehind: a task that is worked on is there */
export const createTaskReader =
  (log: EventLog): ReadTask =>
  async (taskId) => {
    const { details, capabilities, words, source } = await readState(log, taskFold, taskId, 0);
    return { ...details, capabilities, words, source };
  };

/** Where a task is told of; null: nobody said where people reach it. */
export const linkToTask = (
  { configuration: { publicUrl = null } }: { readonly configuration: Partial<Pick<Configuration, 'publicUrl'>> },
  taskId: string,
): string | null => publicUrl && new URL(`api/v1/tasks/${taskId}`, publicUrl.replace(/\/?$/, '/')).href;

export type AskedQuestion = Pick<Asked, 'text' | 'choices' | 'approval' | 'taskId'>;
type Asked = Extract<QuestionEvent, { type: 'QuestionAsked' }>['data'];

/** Null: there is no such question. */
export type ReadQuestion = (questionId: string) => Promise<AskedQuestion | null>;

/** Reads from the log what was asked. */
export const createQuestionReader =
  (log: EventLog): ReadQuestion =>
  async (questionId) => {
    const first = { from: 0, direction: 'forward', limit: 1 } as const;
    for await (const recorded of log.readStream(streamName('question', questionId), first)) {
      const event = upcast(recorded) as QuestionEvent;
      if (event.type === 'QuestionAsked') return event.data;
    }
    return null;
  };

const SHORTEST_MILLISECONDS = 100;
const LONGEST_MILLISECONDS = 5_000;

/** The artefact store, waited for while it is away until the signal aborts: what an agent did is not lost for that. */
export function patientArtefacts(
  { artefacts, logger }: Pick<ComponentEnvironment, 'artefacts' | 'logger'>,
  signal: AbortSignal,
): Artefacts {
  async function patiently<Result>(action: () => Promise<Result>): Promise<Result> {
    // Whoever stops keeps what there is, if that can be done at once.
    if (signal.aborted) return action();
    let last: unknown;
    const tried = await keepTrying(async () => ({ result: await action() }), {
      signal,
      shortest: SHORTEST_MILLISECONDS,
      longest: LONGEST_MILLISECONDS,
      retryWhile: (error) => !isForGood(error),
      onFailed: (error, attempt) => {
        last = error;
        // That its server is away is told by the process, once.
        const level = attempt > 1 || isAway(error) ? 'debug' : 'warn';
        logger[level]({ reason: oneLine(error) }, 'artefact store is away: waiting for it');
      },
    });
    if (tried === null) throw last;
    return tried.result;
  }
  return {
    put: (bytes, mediaType) => patiently(() => artefacts.put(bytes, mediaType)),
    get: (digest) => patiently(() => artefacts.get(digest)),
  };
}

/** What no waiting can mend: too large, damaged, or a defect. */
const isForGood = (error: unknown): boolean =>
  error instanceof RangeError || error instanceof TypeError || error instanceof ArtefactDamaged;
