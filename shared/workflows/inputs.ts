import type { Definition, Template } from '../contexts/task/workflow/definition.ts';
import type { Fault } from './misfits.ts';
import { shapeOfPlaceholder } from './references.ts';
import { whyNot } from './shapes.ts';
import { placeholdersOf } from './template.ts';
import { isOfType } from './validate.ts';

/** What a run is given, defaults filled in; and what is wrong with it. */
export function givenInputs(
  { inputs: declared = {} }: Definition,
  given: Readonly<Record<string, unknown>>,
): { readonly inputs: Record<string, unknown>; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const inputs: Record<string, unknown> = {};
  for (const name of Object.keys(given))
    if (!Object.hasOwn(declared, name))
      faults.push({ at: `/inputs/${name}`, reason: 'the workflow has no such input' });
  for (const [name, { type, required, default: standard }] of Object.entries(declared)) {
    const value = Object.hasOwn(given, name) ? given[name] : standard;
    if (value === undefined) {
      if (required !== false) faults.push({ at: `/inputs/${name}`, reason: 'it is missing' });
      else inputs[name] = null;
    } else if (value === null && required === false) inputs[name] = null;
    else if (isOfType(value, type)) inputs[name] = value;
    else faults.push({ at: `/inputs/${name}`, reason: `it is no ${type}` });
  }
  return { inputs, faults };
}

/** A definition that declares, too, what it is given beside: as what it is. */
export function withDeclared(definition: Definition, given: Readonly<Record<string, unknown>>): Definition {
  const { inputs: declared = {} } = definition;
  const beside = Object.entries(given).filter(([name]) => !Object.hasOwn(declared, name));
  if (beside.length === 0) return definition;
  const inputs = Object.fromEntries(beside.map(([name, value]) => [name, declarationOf(value)]));
  return { ...definition, inputs: { ...declared, ...inputs } };
}

function declarationOf(value: unknown): NonNullable<Definition['inputs']>[string] {
  if (value === null) return { type: 'object', required: false };
  if (Array.isArray(value)) return { type: 'array' };
  const type = typeof value;
  return { type: type === 'string' || type === 'boolean' || type === 'number' ? type : 'object' };
}

/** What is wrong with what a step gives to a sub-workflow, as far as it is known before the run; places begin below its inputs. */
export function childFaults(
  { inputs: declared = {} }: Definition,
  given: Readonly<Record<string, Template>>,
  parent: Definition,
): readonly Fault[] {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(declared, name));
  return [
    ...unknown.map((name) => ({ at: `/${name}`, reason: 'the workflow has no such input' })),
    ...Object.entries(declared).flatMap(([name, { type, required, default: standard }]): readonly Fault[] => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      if (value === undefined)
        return standard === undefined && required !== false ? [{ at: `/${name}`, reason: 'it is missing' }] : [];
      const [whole] = placeholdersOf(value).filter(({ at }) => at === '');
      if (whole === undefined)
        return isOfType(value, type) || (value === null && required === false)
          ? []
          : [{ at: `/${name}`, reason: `it is no ${type}` }];
      const wanted = required === false ? { type: [type, 'null'] } : { type };
      const reason = whyNot(shapeOfPlaceholder(whole, parent), wanted);
      return reason === null ? [] : [{ at: `/${name}`, reason }];
    }),
  ];
}
