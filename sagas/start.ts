import type { WhyNotInOrigin } from '@workledger/shared/commands/origin-lookup.ts';
import type { Live } from '@workledger/shared/config/live.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { SagaName } from '@workledger/shared/contexts/saga/events.ts';
import type { SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { isAccessRefused, isAway } from '@workledger/shared/resilience/outages/signs.ts';
import type { Embeddings } from '@workledger/shared/embeddings/port.ts';
import type { LoadedPlugin } from '@workledger/shared/plugins/load.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { createProblems, runLoops, type Foundation, type RunningService } from '@workledger/shared/service/service.ts';
import { createCatchUp } from './catch-up/run.ts';
import { codeEvolution } from './code-evolution/code-evolution.ts';
import { createWakeUp } from './command-agents/command-agent.ts';
import { runConfiguredAgents } from './command-agents/configured-agents.ts';
import { componentNamed, createComponents, createRemoteComponents } from './components/catalogue.ts';
import { runRetention, taskEnd } from './components/code/retention.ts';
import { createHttpRequest } from './components/http/request.ts';
import { createDrain, type Drain } from './components/drain.ts';
import type { Codegen } from './components/codegen/codegen.ts';
import { createQuestionReader, createTaskReader } from './components/environment.ts';
import { createOutcomes } from './components/generation/outcomes.ts';
import type { Github } from './components/github/github.ts';
import type { Linear } from './components/linear/linear.ts';
import { createAnswers } from './components/models/answers.ts';
import { createBatchStore } from './components/models/batches.ts';
import { createModelAnswer } from './components/models/answer.ts';
import { createModels } from './components/models/models.ts';
import type { ModelProvider } from './components/models/providers.ts';
import { createOriginLookup } from './components/origin-lookup.ts';
import type { Sandbox } from './components/sandbox/policy.ts';
import type { Slack } from './components/slack/slack.ts';
import { createBreakers } from './components/limits.ts';
import { programsOf } from './components/programs.ts';
import { howIsComponent } from './components/state.ts';
import { recordSeen } from './components/state-table.ts';
import { createWatch, MODEL, type Watched } from './components/watch.ts';
import { runEngine } from './engine/engine.ts';
import { sagaMigrations } from './engine/migrations.ts';
import type { OnNote } from './engine/notes.ts';
import { anySaga, type Saga } from './engine/saga.ts';
import { subtasks } from './subtasks/subtasks.ts';
import { issueAssignment } from './issue-assignment/issue-assignment.ts';
import { issueTask } from './issue-task/issue-task.ts';
import { installation } from './installation/installation.ts';
import { onboarding } from './onboarding/onboarding.ts';
import { pullRequestReview } from './pull-request-review/pull-request-review.ts';
import { questions } from './questions/questions.ts';
import { replies } from './replies/replies.ts';
import { taskAssignment } from './task-assignment/task-assignment.ts';
import { runComponents } from './components/run-component.ts';
import { runHandlers } from './plugins/event-handlers.ts';
import { pluginComponents } from './plugins/plugin-components.ts';
import { openWays, pluginFacts, pluginsSeen } from './plugins/tools.ts';
import type { RunnersOptions } from './runner/ask-runners.ts';
import { askPrograms } from './runner/programs.ts';
import { createWebhooks } from './webhooks/run.ts';
import { runWaits } from './workflow/waits/run.ts';
import { workflow } from './workflow/workflow.ts';

/** Every saga there is, by its name. */
const sagas: { readonly [Name in SagaName]: Saga } = {
  'code-evolution': anySaga(codeEvolution),
  installation: anySaga(installation),
  onboarding: anySaga(onboarding),
  'pull-request-review': anySaga(pullRequestReview),
  questions: anySaga(questions),
  subtasks: anySaga(subtasks),
  'issue-assignment': anySaga(issueAssignment),
  'issue-task': anySaga(issueTask),
  replies: anySaga(replies),
  workflow: anySaga(workflow),
  'task-assignment': anySaga(taskAssignment),
};

export const migrations: readonly SqlSchema[] = [{ name: 'sagas', migrations: sagaMigrations }];

export type SagaOptions = Pick<Foundation, 'log' | 'bus' | 'pool' | 'artefacts' | 'logger' | 'outages'> &
  Pick<Foundation, 'configuration' | 'dataFolder'> & {
    readonly commands: Commands;
    /** What programs of others run in; null: in nothing. */
    readonly sandbox: Sandbox | null;
    /** As the configuration has it; null or absent: it is not spoken to. */
    readonly github?: Github | null | undefined;
    readonly linear?: Linear | null | undefined;
    readonly slack?: Slack | null | undefined;
    readonly codegen?: Codegen | null | undefined;
    /** Computes what texts mean; default: nothing does. */
    readonly embeddings?: (Embeddings & Pick<Watched, 'check' | 'state'>) | null;
    /** The configured language models; default: none. */
    readonly models?: readonly ModelProvider[];
    /** Whose components and handlers of events run here, too; default: none. */
    readonly plugins?: readonly LoadedPlugin[];
    /** Calls in hand; how many programs and git commands really run at once is the components' own limit. */
    readonly callConcurrency: number;
    /** No other process works on the same queue. */
    readonly alone: boolean;
    /** Who performs calls of components; default: this process. */
    readonly runners?: Pick<RunnersOptions, 'urls' | 'key'> | undefined;
    /** Told of each note of an agent that was taken as its task's progress. */
    readonly onNote?: OnNote | undefined;
    /** Where the configuration comes from; default: it stays as it is. */
    readonly live?: Live | undefined;
  };

export type RunningSagas = RunningService &
  Required<Pick<RunningService, 'drain' | 'facts'>> &
  Pick<Drain, 'underWay'> & { readonly whyNotInOrigin: WhyNotInOrigin };

/**
 * Starts the sagas: coordinators, the performer of their effects, its workers, and the configured agents (the same ones in every
 * process of a system). Waits for no server.
 */
export function start(options: SagaOptions): RunningSagas {
  const { log, artefacts, configuration, dataFolder, logger, outages, sandbox, plugins = [] } = options;
  const { github = null, linear = null, slack = null, codegen = null, live } = options;
  const { resultDays } = configuration.retention;
  const drain = createDrain();
  // What is no outage is told where it is met: it may never go away by itself.
  const isOutage = (error: unknown): boolean => isAway(error) || isAccessRefused(error);
  const commands: Commands = {
    send: (command, context) =>
      outages.watch('command-service', () => options.commands.send(command, context), isOutage),
  };
  const { tell, facts } = createProblems();
  const onWaiting = (where: string, reason: string | null): void => tell(where, reason && `${where}: ${reason}`);
  const readTask = createTaskReader(log);
  const systems = { github, linear, slack, codegen };
  const { models: providers = [] } = options;
  const breakers = createBreakers();
  const models = createModels(providers, createAnswers(options.pool), {
    ...{ logger, batchStore: createBatchStore(options.pool) },
  });
  const environment = {
    ...{ configuration, ...(live && { configurationAt: (revision: number) => live.at(revision, 'sagas') }) },
    ...{ artefacts, readTask, readQuestion: createQuestionReader(log) },
    ...{ dataFolder, logger, sandbox, drain, models, outcomes: createOutcomes(options.pool), ...systems },
    embeddings: options.embeddings,
    breakers,
  };
  const watched: (readonly [string, Watched])[] = [
    ...Object.entries(systems).flatMap(([name, system]) => (system === null ? [] : [[name, system] as const])),
    ...(github === null ? [] : [['github logs', github.logs] as const]),
    ...providers.map((provider) => [`${MODEL}${provider.name}`, provider] as const),
    ...(options.embeddings ? [['embeddings', { ...options.embeddings, kind: 'model' }] as const] : []),
    // Whoever performs calls looks at what they start.
    ...Object.entries(options.runners === undefined ? programsOf(configuration, { dataFolder, sandbox }) : {}),
  ];
  const ways = plugins.map((plugin) => ({ plugin, ways: openWays(plugin, configuration, log) }));
  const own =
    options.runners === undefined
      ? createComponents(environment)
      : createRemoteComponents({ ...environment, ...options.runners, outages, setAt: live?.setAt });
  const components = [
    ...own,
    createHttpRequest(configuration),
    createModelAnswer(models),
    ...ways.flatMap(({ plugin, ways }) => runComponents(pluginComponents(plugin, ways), environment)),
  ];
  const watch = createWatch(Object.fromEntries(watched), {
    logger,
    own: () => [
      ...pluginsSeen(ways),
      ...components.map(({ name }) => ({
        ...{ name, kind: 'component' as const },
        ...howIsComponent(breakers.counts()[name] ?? { closed: 0, open: 0, halfOpen: 0 }),
      })),
    ],
    record: async (seen) => {
      const byRunners = options.runners === undefined ? [] : await askPrograms(options.runners, configuration);
      await outages.watch('postgresql', async () => {
        await recordSeen(options.pool, seen);
        for (const one of byRunners) await recordSeen(options.pool, one.seen, one.process);
      });
    },
  });
  let catchUpFacts = (): Readonly<Record<string, unknown>> => ({});
  let webhookFacts = (): Readonly<Record<string, unknown>> => ({});
  const running = runLoops((signal) => {
    const common = { ...options, commands, components, signal };
    const wake = createWakeUp(log, outages, signal);
    const webhooks = createWebhooks({ ...common, onWaiting });
    webhookFacts = webhooks.facts;
    const catchUp = createCatchUp({ ...common, github, installed: componentNamed(components, 'github.installed') });
    catchUpFacts = catchUp.facts;
    return [
      runEngine({ ...common, sagas: Object.values(sagas), onWaiting }),
      watch.run(signal),
      ...ways.map(({ plugin, ways }) => runHandlers(plugin, ways, { ...common, onWaiting })),
      webhooks.run(),
      catchUp.run(),
      runWaits({ ...common, onWaiting }),
      ...(resultDays === null
        ? []
        : [
            runRetention({
              results: componentNamed(components, 'code.results'),
              forget: componentNamed(components, 'code.forget'),
              ...{ resultDays, endedAt: taskEnd(log), logger, signal },
              get repositories() {
                return configuration.repositories;
              },
            }),
          ]),
      runConfiguredAgents({
        ...{ ...common, wake, draining: drain.begun },
        ...{ agents: () => configuration.agents, timing: () => configuration },
      }),
    ];
  });
  return {
    ...running,
    facts: () => ({
      ...{ ...facts(), ...watch.facts(), ...breakers.facts() },
      ...{ ...pluginFacts(ways), ...webhookFacts(), ...catchUpFacts() },
    }),
    whyNotInOrigin: createOriginLookup(components, logger),
    underWay: drain.underWay,
    drain: async () => {
      drain.begin();
      const ended = new AbortController();
      await Promise.race([drain.idle(), pause(1_000 * configuration.drainSeconds, ended.signal), running.failed]);
      ended.abort();
    },
  };
}
