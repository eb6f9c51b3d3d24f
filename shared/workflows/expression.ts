import { Environment, type ASTNode } from '@marcbachmann/cel-js';
import { ANYTHING, type Shape } from './shapes.ts';

/** What an expression may see: how it is asked, what it is given, and what came of the steps before. */
export type Scope = {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly steps: Readonly<Record<string, { readonly result: unknown }>>;
  readonly run: { readonly id: string; readonly startedBy: string };
};

/** An expression that cannot be evaluated, in words for whoever wrote it. */
export class ExpressionFailed extends Error {
  override name = 'ExpressionFailed';
}

const LONGEST_EXPRESSION = 1_000;
/** Where a list is gone through, element by element. */
const MOST_ELEMENTS = 1_000;
const LONGEST_TEXT = 10_000;

/**
 * CEL (https://cel.dev): no loops, no calls but of the functions below, so that it always ends. Lists are gone through once, never one
 * within another; patterns (`matches`) would be JavaScript's, which may run for ever.
 */
const createEnvironment = (): Environment =>
  new Environment({
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 200, maxDepth: 30, maxListElements: 100, maxMapEntries: 100 },
  })
    .registerVariable('inputs', 'map')
    .registerVariable('steps', 'map')
    .registerVariable('run', 'map');
const environment = createEnvironment()
  .registerOperator('double + int: double', (a: number, b: bigint) => a + Number(b))
  .registerOperator('int + double: double', (a: bigint, b: number) => Number(a) + b)
  .registerOperator('double - int: double', (a: number, b: bigint) => a - Number(b))
  .registerOperator('int - double: double', (a: bigint, b: number) => Number(a) - b)
  .registerOperator('double * int: double', (a: number, b: bigint) => a * Number(b))
  .registerOperator('int * double: double', (a: bigint, b: number) => Number(a) * b)
  .registerOperator('double / int: double', (a: number, b: bigint) => a / Number(b))
  .registerOperator('int / double: double', (a: bigint, b: number) => Number(a) / b);
/** Tells more of what is answered: of what is added to a whole number here, that it comes to a number. */
const narrow = createEnvironment();

const THROUGH_LISTS = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
const FUNCTIONS = new Set([
  ...['size', 'int', 'double', 'string', 'bool', 'type', 'has'],
  ...['contains', 'startsWith', 'endsWith', 'lowerAscii', 'upperAscii', 'trim'],
  ...THROUGH_LISTS,
]);

/** An expression that was read: what it asks for, and how it is answered. */
export type Expression = {
  /** The steps whose results it names. */
  readonly steps: readonly string[];
  /** The inputs that it names. */
  readonly inputs: readonly string[];
  /** What it looks at, name by name, but for what it only asks whether it is there (`has`). */
  readonly paths: readonly (readonly string[])[];
  /** What it answers, as far as its words tell; a path: what stands there. */
  readonly answers: Shape | readonly string[];
  /** @returns a JSON value @throws ExpressionFailed */
  evaluate(scope: Scope): unknown;
};

/** Reads an expression. @throws ExpressionFailed where it is none, or uses what is not there */
export function readExpression(text: string): Expression {
  if (text.length > LONGEST_EXPRESSION)
    throw new ExpressionFailed(`an expression has ${LONGEST_EXPRESSION} characters at most`);
  const parsed = inWords(() => environment.parse(text));
  const named: Named = { steps: new Set(), inputs: new Set(), paths: [], throughLists: false };
  const outermost: Place = { within: false, mayLack: false, variables: new Set() };
  look(parsed.ast, named, outermost);
  const checked = inWords(() => parsed.check());
  if (!checked.valid) throw new ExpressionFailed(checked.error?.message.split('\n')[0] ?? 'it does not fit together');
  return {
    steps: [...named.steps],
    inputs: [...named.inputs],
    paths: named.paths,
    answers: pathOf(parsed.ast, outermost) ?? shapeOfType(narrow.check(text).type ?? checked.type ?? 'dyn'),
    evaluate: ({ inputs, steps, run }) => {
      const given = {
        inputs: asCel(only(inputs, named.inputs), named.throughLists),
        steps: asCel(only(steps, named.steps), named.throughLists),
        run,
      };
      return fromCel(inWords(() => parsed(given) as unknown));
    },
  };
}

type Named = {
  readonly steps: Set<string>;
  readonly inputs: Set<string>;
  readonly paths: (readonly string[])[];
  throughLists: boolean;
};
type Place = { readonly within: boolean; readonly mayLack: boolean; readonly variables: ReadonlySet<string> };

const TYPES: Readonly<Record<string, string>> = {
  ...{ bool: 'boolean', int: 'integer', uint: 'integer', double: 'number' },
  ...{ string: 'string', null: 'null', list: 'array', map: 'object' },
};

/** @param type CEL's, such as `list<int>` */
function shapeOfType(type: string): Shape {
  const found = TYPES[type.replace(/<.*/, '')];
  return found === undefined ? ANYTHING : { type: found };
}

/** The names that lead from `inputs`, `steps` or `run` to what a node stands for; null: it is no such thing. */
function pathOf(node: ASTNode, place: Place): readonly string[] | null {
  if (node.op === 'id') return ROOTS.has(node.args) && !place.variables.has(node.args) ? [node.args] : null;
  if (node.op !== '.' && node.op !== '[]') return null;
  const [of, name] = node.args;
  const path = pathOf(of, place);
  const literal = literalOf(name);
  return path === null || literal === null ? null : [...path, literal];
}
const ROOTS = new Set(['inputs', 'steps', 'run']);

const literalOf = (name: string | ASTNode): string | null =>
  typeof name === 'string' ? name : name.op === 'value' ? String(name.args) : null;

const only = (given: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));

/** Goes through what was read: the names that it uses, and whether each is allowed. */
function look(node: ASTNode, named: Named, place: Place): void {
  switch (node.op) {
    case 'value':
      return;
    case 'id':
      if (node.args === 'inputs' || node.args === 'steps')
        throw new ExpressionFailed(`name what of ${node.args}: ${node.args}.<name>`);
      if (node.args !== 'run' && !place.variables.has(node.args))
        throw new ExpressionFailed(`there is no ${node.args}: use inputs.<name>, steps.<id>.result or run.id`);
      return;
    case '.':
    case '.?':
    case '[]':
    case '[?]': {
      const path = pathOf(node, place);
      if (path !== null) return lookAtPath(path, named, place);
      const [of, name] = node.args;
      const root = of.op === 'id' && !place.variables.has(of.args) ? of.args : null;
      if (root === 'inputs' || root === 'steps') {
        const literal = literalOf(name);
        if (literal === null) throw new ExpressionFailed(`name one of ${root} as ${root}.<name>`);
        named[root].add(literal);
        return;
      }
      look(of, named, place);
      if (typeof name !== 'string') look(name, named, place);
      return;
    }
    case 'call':
      demandFunction(node.args[0]);
      return node.args[1].forEach((argument) =>
        look(argument, named, node.args[0] === 'has' ? { ...place, mayLack: true } : place),
      );
    case 'rcall':
      return lookAtCall(node.args, named, place);
    case 'list':
      return node.args.forEach((item) => look(item, named, place));
    case 'map':
      return node.args.forEach((entry) => entry.forEach((part) => look(part, named, place)));
    case '!_':
    case '-_':
      return look(node.args, named, place);
    default:
      return node.args.forEach((operand: ASTNode) => look(operand, named, place));
  }
}

function lookAtPath(path: readonly string[], named: Named, place: Place): void {
  const [root, name = ''] = path;
  if (root === 'inputs' || root === 'steps') named[root].add(name);
  if (!place.mayLack) named.paths.push(path);
}

function lookAtCall([name, of, given]: [string, ASTNode, ASTNode[]], named: Named, place: Place): void {
  demandFunction(name);
  if (!THROUGH_LISTS.has(name)) return [of, ...given].forEach((part) => look(part, named, place));
  if (place.within) throw new ExpressionFailed(`${name}: a list is not gone through within another one`);
  if (!isData(of)) throw new ExpressionFailed(`${name}: use it on a list of inputs or results`);
  named.throughLists = true;
  look(of, named, place);
  const [variable, ...bodies] = given;
  if (variable?.op !== 'id') throw new ExpressionFailed(`${name}: its first argument is a name`);
  const inner = { ...place, within: true, variables: new Set([...place.variables, variable.args]) };
  bodies.forEach((body) => look(body, named, inner));
}

/** What was given, or some of it: it is no longer than that. */
const isData = (node: ASTNode): boolean =>
  node.op === 'id' || node.op === 'list'
    ? true
    : node.op === '.' || node.op === '[]'
      ? isData(node.args[0])
      : node.op === 'rcall' && node.args[0] === 'filter' && isData(node.args[1]);

function demandFunction(name: string): void {
  if (!FUNCTIONS.has(name)) throw new ExpressionFailed(`there is no function ${name}: ${[...FUNCTIONS].join(', ')}`);
}

function inWords<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (error instanceof ExpressionFailed) throw error;
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new ExpressionFailed(first);
  }
}

/** Whole numbers of JSON are CEL's `int`, all others `double`. */
function asCel(value: unknown, throughLists: boolean): unknown {
  const demand = (length: number, most: number, what: string): void => {
    if (throughLists && length > most)
      throw new ExpressionFailed(`where a list is gone through, ${what} of ${most} at most is read`);
  };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string') demand(value.length, LONGEST_TEXT, 'a text');
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  demand(entries.length, MOST_ELEMENTS, 'a list or object');
  if (Array.isArray(value)) return value.map((item: unknown) => asCel(item, throughLists));
  return Object.fromEntries(entries.map(([name, item]) => [name, asCel(item, throughLists)]));
}

function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || ['string', 'boolean'].includes(typeof value)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, item]) => [String(name), fromCel(item)]));
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fromCel(item)]));
  throw new ExpressionFailed('it answers nothing that JSON can say');
}
