import { commands, type CommandType, declarationOf, commandTypes } from '../commands/catalogue.ts';
import type { Role } from '../contexts/agent/key/events.ts';
import type { Compensation, Definition, Step, Template } from '../contexts/task/workflow/definition.ts';
import { findDefinition } from '../events/catalogue.ts';
import { isWithinReach, typesOf } from '../events/subscribing.ts';
import { callable, isCallable } from './callable.ts';
import { ExpressionFailed, readExpression } from './expression.ts';
import { findCycle, orderOf, type Before } from './graph.ts';
import { misfits } from './misfits.ts';
import { partsOf, placeholdersOf } from './template.ts';

/** Why a definition cannot run: where, as a JSON pointer into it, and what is wrong there. */
export type Fault = { readonly at: string; readonly reason: string };

/** Commands that steps of workflows may send: those that are declared so. */
export const isSendable = (type: string): type is CommandType =>
  Object.hasOwn(commands, type) && declarationOf(type as CommandType).inWorkflows === true;
const sendable = commandTypes.filter(isSendable);

/** Why a definition cannot run, by place; none: it can. Pure: whether what it names exists beside is looked up by others. */
export function faultsOf(definition: Definition): readonly Fault[] {
  const { steps } = definition;
  const ids = new Map<string, Step>();
  const faults: Fault[] = [];
  for (const [index, step] of steps.entries()) {
    if (ids.has(step.id)) faults.push({ at: `/steps/${index}/id`, reason: `there are two steps ${step.id}` });
    ids.set(step.id, step);
  }
  for (const [index, step] of steps.entries()) faults.push(...linkFaults(step, ids, `/steps/${index}/after`));
  // What hangs together wrongly has no order to look at.
  if (faults.length > 0) return faults;
  const cycle = findCycle(steps);
  if (cycle !== null) {
    const at = `/steps/${steps.findIndex(({ id }) => id === cycle[0])}/after`;
    return [{ at, reason: `these steps wait for one another: ${cycle.join(' → ')}` }];
  }
  const place: Place = { definition, order: orderOf(steps) };
  return [
    ...inputFaults(definition),
    ...steps.flatMap((step, index) => stepFaults(step, `/steps/${index}`, place)),
    ...Object.entries(definition.outputs ?? {}).flatMap(([name, value]) =>
      templateFaults(value, `/outputs/${name}`, place, (id) => ids.has(id)),
    ),
  ];
}

type Place = { readonly definition: Definition; readonly order: Before };
type IsBefore = (step: string) => boolean;

function linkFaults(step: Step, ids: ReadonlyMap<string, Step>, at: string): readonly Fault[] {
  return (step.after ?? []).flatMap((link, index) => {
    const id = typeof link === 'string' ? link : link.step;
    const earlier = ids.get(id);
    if (earlier === undefined) return [{ at: `${at}/${index}`, reason: `there is no step ${id}` }];
    if (typeof link === 'string') return [];
    if (earlier.kind !== 'choice') return [{ at: `${at}/${index}/choice`, reason: `${id} is no choice` }];
    const choices = [
      ...earlier.cases.map(({ choice }) => choice),
      ...(earlier.otherwise === undefined ? [] : [earlier.otherwise]),
    ];
    if (choices.includes(link.choice)) return [];
    return [{ at: `${at}/${index}/choice`, reason: `${id} has no choice ${link.choice}: ${choices.join(', ')}` }];
  });
}

function inputFaults({ inputs = {} }: Definition): readonly Fault[] {
  return Object.entries(inputs).flatMap(([name, { type, default: standard }]) => {
    if (standard === undefined || isOfType(standard, type)) return [];
    return [{ at: `/inputs/${name}/default`, reason: `it is no ${type}` }];
  });
}

/** Whether a value is of a type of an input. */
export function isOfType(value: unknown, type: NonNullable<Definition['inputs']>[string]['type']): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  return typeof value === type;
}

function stepFaults(step: Step, at: string, place: Place): readonly Fault[] {
  const isBefore: IsBefore = (id) => place.order.isBefore(id, step.id);
  const inTemplate = (value: Template | undefined, where: string): readonly Fault[] =>
    value === undefined ? [] : templateFaults(value, `${at}${where}`, place, isBefore);
  const undone =
    step.compensation === undefined
      ? []
      : actionFaults(step.compensation, `${at}/compensation`, place, (id) => id === step.id || isBefore(id));
  switch (step.kind) {
    case 'command':
    case 'call':
      return [...actionFaults(step, at, place, isBefore), ...undone];
    case 'timer':
      return [...inTemplate(step.seconds, '/seconds'), ...undone];
    case 'workflow':
      return [...inTemplate(step.inputs, '/inputs'), ...undone];
    case 'approval':
      return [...inTemplate(step.text, '/text'), ...refusalFaults(step, at), ...undone];
    case 'wait':
      return [
        ...step.events.flatMap((pattern, index) => eventFaults(pattern, `${at}/events/${index}`)),
        ...(step.failsOn ?? []).flatMap((pattern, index) =>
          step.events.includes(pattern)
            ? []
            : [{ at: `${at}/failsOn/${index}`, reason: `${pattern} is none of the events that it waits for` }],
        ),
        ...inTemplate(step.of, '/of'),
        ...(step.where ?? []).flatMap(({ field, equals }, index) => [
          ...pointerFaults(field, `${at}/where/${index}/field`),
          ...inTemplate(equals, `/where/${index}/equals`),
        ]),
        ...undone,
      ];
    case 'choice':
      return [
        ...step.cases.flatMap(({ when }, index) =>
          expressionFaults(when, `${at}/cases/${index}/when`, place, isBefore),
        ),
        ...undone,
      ];
  }
}

function actionFaults(
  action: Compensation | Extract<Step, { kind: 'command' | 'call' }>,
  at: string,
  place: Place,
  isBefore: IsBefore,
) {
  if (action.kind === 'call') {
    const { component, request } = action;
    if (!isCallable(component)) {
      const reason = `workflows call no component ${component}: ${Object.keys(callable).join(', ')}`;
      return [{ at: `${at}/component`, reason }];
    }
    return [
      ...templateFaults(request, `${at}/request`, place, isBefore),
      ...misfits(callable[component].request, request).map(within(`${at}/request`)),
    ];
  }
  const { command, target, data = {} } = action;
  if (!isSendable(command))
    return [{ at: `${at}/command`, reason: `workflows send no command ${command}: ${sendable.join(', ')}` }];
  const isMade = declarationOf(command).creates === true;
  return [
    ...(isMade && target !== undefined
      ? [{ at: `${at}/target`, reason: `${command} makes what it is for: leave it out` }]
      : []),
    ...(!isMade && target === undefined
      ? [{ at: `${at}/target`, reason: `${command} needs the id of what it is for` }]
      : []),
    ...(target === undefined ? [] : templateFaults(target, `${at}/target`, place, isBefore)),
    ...templateFaults(data, `${at}/data`, place, isBefore),
    ...misfits(declarationOf(command).data, data).map(within(`${at}/data`)),
  ];
}

const within =
  (at: string) =>
  (fault: Fault): Fault => ({ ...fault, at: `${at}${fault.at}` });

function templateFaults(value: Template, at: string, place: Place, isBefore: IsBefore): readonly Fault[] {
  return placeholdersOf(value).flatMap((found) => {
    const where = `${at}${found.at}`;
    if ('fault' in found) return [{ at: where, reason: found.fault }];
    if ('cel' in found) return expressionFaults(found.cel, `${where}/$cel`, place, isBefore);
    return fromFaults(found.from, `${where}/$from`, place, isBefore);
  });
}

function fromFaults(pointer: string, at: string, place: Place, isBefore: IsBefore): readonly Fault[] {
  const wrong = pointerFaults(pointer, at);
  if (wrong.length > 0) return wrong;
  const [root, name, ...rest] = partsOf(pointer);
  if (root === 'run') return [];
  if (root === 'inputs' && name !== undefined) return namedInput(name, at, place);
  if (root !== 'steps' || name === undefined)
    return [{ at, reason: `${pointer}: use /inputs/<name>, /steps/<id>/result or /run/id` }];
  if (rest.length > 0 && rest[0] !== 'result') return [{ at, reason: `${pointer}: of a step there is its result` }];
  return namedStep(name, at, place, isBefore);
}

function expressionFaults(text: string, at: string, place: Place, isBefore: IsBefore): readonly Fault[] {
  try {
    const { steps, inputs } = readExpression(text);
    return [
      ...inputs.flatMap((name) => namedInput(name, at, place)),
      ...steps.flatMap((id) => namedStep(id, at, place, isBefore)),
    ];
  } catch (error) {
    if (!(error instanceof ExpressionFailed)) throw error;
    return [{ at, reason: error.message }];
  }
}

const namedInput = (name: string, at: string, { definition }: Place): readonly Fault[] =>
  Object.hasOwn(definition.inputs ?? {}, name) ? [] : [{ at, reason: `there is no input ${name}` }];

function namedStep(id: string, at: string, { definition }: Place, isBefore: IsBefore): readonly Fault[] {
  if (isBefore(id)) return [];
  const isThere = definition.steps.some((step) => step.id === id);
  return [{ at, reason: isThere ? `step ${id} does not come before` : `there is no step ${id}` }];
}

function pointerFaults(pointer: string, at: string): readonly Fault[] {
  try {
    partsOf(pointer);
    return [];
  } catch (error) {
    return [{ at, reason: (error as Error).message }];
  }
}

function refusalFaults({ choices, refusals = [] }: Extract<Step, { kind: 'approval' }>, at: string): readonly Fault[] {
  if (choices === undefined)
    return refusals.length === 0 ? [] : [{ at: `${at}/refusals`, reason: 'name the choices, too' }];
  const twice = choices.find((choice, index) => choices.indexOf(choice) < index);
  if (twice !== undefined) return [{ at: `${at}/choices`, reason: `${twice} is named twice` }];
  const unknown = refusals.findIndex((choice) => !choices.includes(choice));
  if (unknown >= 0) return [{ at: `${at}/refusals/${unknown}`, reason: `it is none of the choices` }];
  return choices.every((choice) => refusals.includes(choice))
    ? [{ at: `${at}/refusals`, reason: 'no choice is left that lets it go on' }]
    : [];
}

function eventFaults(pattern: string, at: string): readonly Fault[] {
  const [, type = '', name = ''] = pattern.split('.');
  const isThere = typesOf(pattern).length > 0 && findDefinition(`${type}-${ANY}`, name) !== null;
  if (!isThere) return [{ at, reason: `there is no event ${pattern}` }];
  return isWithinReach('work', type)
    ? []
    : [{ at, reason: `no workflow waits for events of ${type}: people alone read them` }];
}
const ANY = '00000000-0000-4000-8000-000000000000';

/** Which sub-workflows are named, and where. */
export const subWorkflowsOf = ({ steps }: Definition) =>
  steps.flatMap((step, index) =>
    step.kind === 'workflow' ? [{ at: `/steps/${index}`, workflow: step.workflow, version: step.version }] : [],
  );

/** Commands that a role may not send, and where they stand. */
export const beyondRole = (definition: Definition, role: Role): readonly Fault[] =>
  definition.steps.flatMap((step, index) =>
    [step, step.compensation].flatMap((action, number) => {
      if (action?.kind !== 'command' || !isSendable(action.command)) return [];
      if (declarationOf(action.command).roles?.includes(role) === true) return [];
      const at = `/steps/${index}${number === 0 ? '' : '/compensation'}/command`;
      return [{ at, reason: `role ${role} may not send ${action.command}` }];
    }),
  );
