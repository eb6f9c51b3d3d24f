import type { Definition, Step, Template } from '../contexts/task/workflow/definition.ts';
import { streamName } from '../contexts/stream.ts';
import { findDefinition } from '../events/catalogue.ts';
import { callable, isCallable } from './callable.ts';
import { ExpressionFailed, readExpression } from './expression.ts';
import type { Before } from './graph.ts';
import { ANYTHING, either, fieldsOf, objectOf, shapeAt, shapeOf, whyNot, type Shape } from './shapes.ts';
import { partsOf, placeholdersOf, type Placeholder } from './template.ts';
import type { Fault } from './misfits.ts';

/** Where a template stands: in which definition, and behind which steps. */
export type Place = { readonly definition: Definition; readonly order: Before };
export type IsBefore = (step: string) => boolean;

/** What a template names that is not there, or does not come before. */
export const templateFaults = (value: Template, at: string, place: Place, isBefore: IsBefore): readonly Fault[] =>
  placeholdersOf(value).flatMap((found) => {
    const where = `${at}${found.at}`;
    if ('fault' in found) return [{ at: where, reason: found.fault }];
    if ('cel' in found) return expressionFaults(found.cel, `${where}/$cel`, place, isBefore);
    return fromFaults(found.from, `${where}/$from`, place, isBefore);
  });

function fromFaults(pointer: string, at: string, place: Place, isBefore: IsBefore): readonly Fault[] {
  const wrong = pointerFaults(pointer, at);
  if (wrong.length > 0) return wrong;
  const path = partsOf(pointer);
  const [root, name, ...rest] = path;
  if (!['inputs', 'steps', 'run'].includes(root ?? '') || name === undefined)
    return [{ at, reason: `${pointer}: use /inputs/<name>, /steps/<id>/result or /run/id` }];
  if (root === 'steps' && rest.length > 0 && rest[0] !== 'result')
    return [{ at, reason: `${pointer}: of a step there is its result` }];
  const unknown =
    root === 'inputs' ? namedInput(name, at, place) : root === 'steps' ? namedStep(name, at, place, isBefore) : [];
  return unknown.length > 0 ? unknown : pathFaults(path, at, place);
}

export function expressionFaults(text: string, at: string, place: Place, isBefore: IsBefore): readonly Fault[] {
  try {
    const { steps, inputs, paths } = readExpression(text);
    const unknown = [
      ...inputs.flatMap((name) => namedInput(name, at, place)),
      ...steps.flatMap((id) => namedStep(id, at, place, isBefore)),
    ];
    return unknown.length > 0 ? unknown : paths.flatMap((path) => pathFaults(path, at, place));
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

export function pointerFaults(pointer: string, at: string): readonly Fault[] {
  try {
    partsOf(pointer);
    return [];
  } catch (error) {
    return [{ at, reason: (error as Error).message }];
  }
}

/** Where a path leads to nothing that an input, or what a step answers, can have. */
function pathFaults(path: readonly string[], at: string, { definition }: Place): readonly Fault[] {
  for (let length = 2; length <= path.length; length++)
    if (shapeOfPath(path.slice(0, length), definition) === null) {
      const above = shapeOfPath(path.slice(0, length - 1), definition);
      const fields = above === null ? null : fieldsOf(above);
      const has = fields === null ? '' : fields.length === 0 ? ': it has no fields' : `: it has ${fields.join(', ')}`;
      return [{ at, reason: `there is no ${path[length - 1]} in /${path.slice(0, length - 1).join('/')}${has}` }];
    }
  return [];
}

/** What may stand at a path below `inputs`, `steps` or `run`; null: nothing can. */
function shapeOfPath([root, name = '', ...rest]: readonly string[], definition: Definition): Shape | null {
  if (root === 'run') return shapeAt(RUN, name === '' ? [] : [name, ...rest]);
  if (name === '') return ANYTHING;
  if (root === 'inputs') {
    const { type, required, default: standard } = definition.inputs?.[name] ?? {};
    if (type === undefined) return null;
    const mayLack = required === false && standard === undefined;
    return shapeAt(either([{ type }, ...(mayLack ? [{ type: 'null' }] : [])]), rest);
  }
  const step = stepsOf(definition).get(name);
  return step === undefined ? null : shapeAt(objectOf({ result: resultOf(step) }), rest);
}

const known = new WeakMap<Definition, ReadonlyMap<string, Step>>();

/** By their ids: each of a thousand may name one. */
function stepsOf(definition: Definition): ReadonlyMap<string, Step> {
  const before = known.get(definition);
  if (before !== undefined) return before;
  const byId = new Map(definition.steps.map((step) => [step.id, step]));
  known.set(definition, byId);
  return byId;
}

const WORD: Shape = { type: 'string' };
const NUMBER: Shape = { type: 'integer' };
const WORD_OR_NOTHING = either([WORD, { type: 'null' }]);
const RUN = objectOf({ id: WORD, startedBy: WORD });
const OF_COMMAND = objectOf({ id: WORD, stream: WORD, revision: NUMBER, token: WORD, details: objectOf() });

/** What a step answers. */
function resultOf(step: Step): Shape {
  switch (step.kind) {
    case 'command':
      return OF_COMMAND;
    case 'call':
      return isCallable(step.component) ? shapeOf(callable[step.component].result) : ANYTHING;
    case 'wait':
      // Of a large one only its name goes along.
      return objectOf({
        ...{ id: WORD, type: WORD, stream: WORD, revision: NUMBER },
        data: either([...eventShapes(step.events), { type: 'null' }]),
      });
    case 'approval':
      return objectOf({ choice: WORD_OR_NOTHING, answeredBy: WORD_OR_NOTHING });
    case 'timer':
      return objectOf({});
    case 'workflow':
      return objectOf();
    case 'choice':
      return objectOf({ choice: WORD });
  }
}

/** Of the data of events, as waits name them. */
export const eventShapes = (events: readonly string[]): readonly Shape[] =>
  events.map((event) => {
    const [, type = '', name = ''] = event.split('.');
    const found = findDefinition(streamName(type, ANY), name);
    return found === null ? ANYTHING : shapeOf(found.schema);
  });
const ANY = '00000000-0000-4000-8000-000000000000';

/** What a placeholder stands for, as far as it is known. */
export function shapeOfPlaceholder(found: Placeholder, definition: Definition): Shape {
  try {
    if ('from' in found) return shapeOfPath(partsOf(found.from), definition) ?? ANYTHING;
    if (!('cel' in found)) return ANYTHING;
    const { answers } = readExpression(found.cel);
    return isPath(answers) ? (shapeOfPath(answers, definition) ?? ANYTHING) : answers;
  } catch (error) {
    if (!(error instanceof ExpressionFailed)) throw error;
    return ANYTHING;
  }
}

const isPath = (answers: Shape | readonly string[]): answers is readonly string[] => Array.isArray(answers);

/** Where a placeholder stands for what can never be what is wanted at its place. */
export const unfit = (value: Template, wanted: Shape, definition: Definition): readonly Fault[] =>
  placeholdersOf(value).flatMap((found) => {
    const shape = shapeAt(wanted, partsOf(found.at));
    const reason = shape === null ? null : whyNot(shapeOfPlaceholder(found, definition), shape);
    return reason === null ? [] : [{ at: found.at, reason }];
  });
