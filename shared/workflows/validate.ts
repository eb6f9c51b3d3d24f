import { z } from 'zod';
import { commands, type CommandType, declarationOf, commandTypes } from '../commands/catalogue.ts';
import type { Role } from '../contexts/agent/key/events.ts';
import type { Compensation, Definition, Step, Template } from '../contexts/task/workflow/definition.ts';
import { findDefinition } from '../events/catalogue.ts';
import { isWithinReach, typesOf } from '../events/subscribing.ts';
import { callable, isCallable } from './callable.ts';
import { findCycle, orderOf } from './graph.ts';
import { misfits, type Fault } from './misfits.ts';
import {
  eventShapes,
  expressionFaults,
  pointerFaults,
  shapeOfPlaceholder,
  templateFaults,
  unfit,
  type IsBefore,
  type Place,
} from './references.ts';
import { either, shapeAt, shapeOf, shapeOfValue, whyNot } from './shapes.ts';
import { partsOf, placeholdersOf } from './template.ts';

/** Commands that steps of workflows may send: those that are declared so. */
export const isSendable = (type: string): type is CommandType =>
  Object.hasOwn(commands, type) && declarationOf(type as CommandType).inWorkflows === true;
const sendable = commandTypes.filter(isSendable);

const SECONDS = z.number().min(0);
const TEXT = z.string();
const ID = z.uuid();
const ANY_VALUE = z.unknown();

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
  const given = (value: Template | undefined, schema: z.ZodType, where: string): readonly Fault[] =>
    value === undefined ? [] : valueFaults(value, schema, `${at}${where}`, place, isBefore);
  const undone =
    step.compensation === undefined
      ? []
      : actionFaults(step.compensation, `${at}/compensation`, place, (id) => id === step.id || isBefore(id));
  switch (step.kind) {
    case 'command':
    case 'call':
      return [...actionFaults(step, at, place, isBefore), ...undone];
    case 'timer':
      return [...given(step.seconds, SECONDS, '/seconds'), ...undone];
    case 'workflow':
      return [...given(step.inputs, ANY_VALUE, '/inputs'), ...undone];
    case 'approval':
      return [...given(step.text, TEXT, '/text'), ...refusalFaults(step, at), ...undone];
    case 'wait':
      return [
        ...step.events.flatMap((pattern, index) => eventFaults(pattern, `${at}/events/${index}`)),
        ...(step.failsOn ?? []).flatMap((pattern, index) =>
          step.events.includes(pattern)
            ? []
            : [{ at: `${at}/failsOn/${index}`, reason: `${pattern} is none of the events that it waits for` }],
        ),
        ...given(step.of, ID, '/of'),
        ...(step.where ?? []).flatMap(({ equals }, index) => given(equals, ANY_VALUE, `/where/${index}/equals`)),
        ...whereFaults(step, `${at}/where`, place),
        ...undone,
      ];
    case 'choice':
      return [
        ...step.cases.flatMap(({ when }, index) => conditionFaults(when, `${at}/cases/${index}/when`, place, isBefore)),
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
    return valueFaults(request, callable[component].request, `${at}/request`, place, isBefore);
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
    ...(target === undefined || isMade ? [] : valueFaults(target, ID, `${at}/target`, place, isBefore)),
    ...valueFaults(data, declarationOf(command).data, `${at}/data`, place, isBefore),
  ];
}

const within =
  (at: string) =>
  (fault: Fault): Fault => ({ ...fault, at: `${at}${fault.at}` });

/** What is wrong with what stands somewhere: what it names, and what it is. */
const valueFaults = (
  value: Template,
  schema: z.ZodType,
  at: string,
  place: Place,
  isBefore: IsBefore,
): readonly Fault[] => [
  ...templateFaults(value, at, place, isBefore),
  ...[...misfits(schema, value), ...unfit(value, shapeOf(schema), place.definition)].map(within(at)),
];

/** Where the data of no event that a step waits for can be what it compares. */
function whereFaults({ events, where = [] }: Extract<Step, { kind: 'wait' }>, at: string, { definition }: Place) {
  const data = eventShapes(events);
  return where.flatMap(({ field, equals }, index): readonly Fault[] => {
    const wrong = pointerFaults(field, `${at}/${index}/field`);
    if (wrong.length > 0) return wrong;
    const found = data.map((shape) => shapeAt(shape, partsOf(field))).filter((shape) => shape !== null);
    if (found.length === 0)
      return [{ at: `${at}/${index}/field`, reason: `no event that it waits for tells ${field}` }];
    const wanted = either(found);
    const reason = placeholdersOf(equals).length === 0 ? whyNot(shapeOfValue(equals), wanted) : null;
    if (reason !== null) return [{ at: `${at}/${index}/equals`, reason }];
    return unfit(equals, wanted, definition).map(within(`${at}/${index}/equals`));
  });
}

/** An expression that must say whether. */
function conditionFaults(when: string, at: string, place: Place, isBefore: IsBefore): readonly Fault[] {
  const faults = expressionFaults(when, at, place, isBefore);
  if (faults.length > 0) return faults;
  const reason = whyNot(shapeOfPlaceholder({ at: '', cel: when }, place.definition), { type: 'boolean' });
  return reason === null ? [] : [{ at, reason }];
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

/** Which sub-workflows are named, where, and what they are given. */
export const subWorkflowsOf = ({ steps }: Definition) =>
  steps.flatMap((step, index) => {
    if (step.kind !== 'workflow') return [];
    const { workflow, version, inputs = {} } = step;
    return [{ at: `/steps/${index}`, workflow, version, inputs }];
  });

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
