import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse, type RefusalCode } from '@workledger/shared/commands/refusal.ts';
import { LARGEST_DEFINITION, type Definition } from '@workledger/shared/contexts/task/workflow/definition.ts';
import { childFaults } from '@workledger/shared/workflows/inputs.ts';
import { nameFaults } from '@workledger/shared/workflows/names.ts';
import { surelyBegun } from '@workledger/shared/workflows/graph.ts';
import type { Fault } from '@workledger/shared/workflows/misfits.ts';
import { faultsOf, subWorkflowsOf } from '@workledger/shared/workflows/validate.ts';
import { demandParticipant } from './participants.ts';
import { isKnownRepository } from './references.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

const MOST_FAULTS = 50;
/** Runs within runs. */
export const DEEPEST = 8;

export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Takes a version of a workflow that can run. @throws CommandRefused `invalid-workflow` with each place and reason */
export async function defineWorkflow(
  room: Room,
  id: string,
  type: 'workflow.define' | 'workflow.change',
  data: Definition,
  context: StepContext,
): Promise<CommandAnswer> {
  await demandRunnable(room, id, data, context.repositories ?? null);
  return room.aggregates.workflow.handle(id, { type, data }, context);
}

/** @param scope repositories that whoever asks is limited to; null: to none @throws CommandRefused */
export async function demandRunnable(
  room: Room,
  id: string,
  definition: Definition,
  scope: readonly string[] | null,
): Promise<void> {
  const { repository = null } = definition;
  if (bytesOf(definition) > LARGEST_DEFINITION)
    refuse('too-large', `a definition has ${LARGEST_DEFINITION} bytes at most: let sub-workflows do parts of it`);
  if (!isKnownRepository(room, repository))
    refuse('unknown-repository', `there is no repository ${repository}`, { repository });
  demandSound(faultsOf(definition));
  demandSound(nameFaults(definition, room.configuration));
  demandSound(await subWorkflowFaults(room, id, definition, scope));
  for (const step of definition.steps)
    if (step.kind === 'approval' && step.askee.kind === 'participant')
      await demandParticipant(room, step.askee.participant, 'askee');
}

export function demandSound(faults: readonly Fault[], code: RefusalCode = 'invalid-workflow'): void {
  if (faults.length === 0) return;
  const errors = faults.slice(0, MOST_FAULTS).map(({ at, reason }) => ({ path: at, message: reason }));
  refuse(
    code,
    errors
      .map(({ path, message }) => `${path}: ${message}`)
      .join('; ')
      .slice(0, 2_000),
    { errors },
  );
}

/** Sub-workflows that are not there for whoever asks, begin no more, are given what they do not take, or run without an end. */
async function subWorkflowFaults(
  room: Room,
  id: string,
  definition: Definition,
  scope: readonly string[] | null,
): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const { at, workflow, version, inputs } of subWorkflowsOf(definition)) {
    const { state } = await room.aggregates.workflow.load(workflow);
    const isWithin = scope === null || scope.includes(state?.repository ?? '');
    if (state === null || !isWithin) faults.push({ at: `${at}/workflow`, reason: `there is no workflow ${workflow}` });
    else if (version !== undefined && version > state.versions.length)
      faults.push({ at: `${at}/version`, reason: `the workflow has no version ${version}` });
    else if (state.retired)
      faults.push({ at: `${at}/workflow`, reason: 'the workflow is retired: no run of it begins' });
    else {
      const newest = workflow === id ? definition : state.versions.at(-1);
      const child = version === undefined ? newest : state.versions[version - 1];
      const wrong = child === undefined ? [] : childFaults(child, inputs, definition);
      faults.push(...wrong.map((fault) => ({ ...fault, at: `${at}/inputs${fault.at}` })));
    }
  }
  return faults.length > 0 ? faults : endlessFaults(room, id, definition);
}

/** Where workflows run one another, past every choice, for ever or deeper than runs may be. */
async function endlessFaults(room: Room, id: string, definition: Definition): Promise<readonly Fault[]> {
  const depths = new Map<string, number>();

  /** How many runs deep a workflow goes in any case. @throws Endless */
  async function depthOf(path: readonly string[], { steps }: Definition): Promise<number> {
    if (path.length > DEEPEST + 1) throw new Endless(`runs within runs are ${DEEPEST} deep at most`);
    const sure = surelyBegun(steps);
    let deepest = 0;
    for (const step of steps)
      if (step.kind === 'workflow' && sure.has(step.id)) deepest = Math.max(deepest, await depthBelow(path, step));
    return deepest + 1;
  }

  async function depthBelow(
    path: readonly string[],
    { workflow, version }: { readonly workflow: string; readonly version?: number | undefined },
  ): Promise<number> {
    const key = version === undefined ? workflow : `${workflow} (version ${version})`;
    const before = path.indexOf(key);
    if (before >= 0)
      throw new Endless(
        `these workflows run one another, and no choice ends that: ${[...path.slice(before), key].join(' → ')}`,
      );
    const known = depths.get(key);
    if (known !== undefined) return known;
    const { state } = await room.aggregates.workflow.load(workflow);
    const next = state?.versions.at(version === undefined ? -1 : version - 1);
    const depth = next === undefined ? 1 : await depthOf([...path, key], next);
    depths.set(key, depth);
    return depth;
  }

  const sure = surelyBegun(definition.steps);
  for (const [index, step] of definition.steps.entries()) {
    if (step.kind !== 'workflow' || !sure.has(step.id)) continue;
    const at = `/steps/${index}/workflow`;
    try {
      if ((await depthBelow([id], step)) > DEEPEST)
        return [{ at, reason: `runs within runs are ${DEEPEST} deep at most` }];
    } catch (error) {
      if (!(error instanceof Endless)) throw error;
      return [{ at, reason: error.message }];
    }
  }
  return [];
}

class Endless extends Error {
  override name = 'Endless';
}
