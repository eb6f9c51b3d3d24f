import { expect, it } from 'vitest';
import { administrators } from './content.ts';
import { agentSchema, repositorySchema } from './schema.ts';

it.each([
  ['repositories', repositorySchema.shape, ['budgets', 'context', 'documents', 'litter', 'setupCache', 'tell']],
  ['agents', agentSchema.in.shape, ['capacity']],
])(
  'of %s operators change how much, and whom it is told; every other field is an administrator’s',
  (section, fields, operators) => {
    const names = Object.keys(fields);
    const paths = names.map((field) => ({ path: `/${section}/one/${field}`, value: 'x' }));
    const others = names.filter((field) => !operators.includes(field));
    expect(administrators(paths)).toEqual(others.map((field) => `/${section}/one/${field}`));
    expect(others.length).toBe(names.length - operators.length);
    // As it goes, or comes.
    expect(administrators([{ path: `/${section}/one`, value: null }])).toEqual([`/${section}/one`]);
  },
);
