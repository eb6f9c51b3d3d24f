import type { Definition } from '../contexts/task/workflow/definition.ts';
import { isOfType, type Fault } from './validate.ts';

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
