import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationSchema } from './schema.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const whole = /### The configuration, whole[\s\S]*?```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

it('shows every field of the configuration in the README, with its default', () => {
  const shown = JSON.parse(whole) as Record<string, unknown>;
  const minimal = {
    $schema: shown['$schema'],
    repositories: [
      {
        name: 'shop',
        url: '/home/me/shop',
        test: ['npm', 'test'],
        evolve: { metric: 'milliseconds', direction: 'minimize' },
      },
    ],
    agents: [{ name: 'claude', command: ['claude', '-p'] }],
  };
  const defaults = configurationSchema.parse(minimal);
  expect({ ...shown, webhooks: defaults.webhooks }).toEqual(defaults);
});

it('gives examples that are valid', () => {
  const examples = [...readme.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text ?? '') as object);
  expect(examples.length).toBeGreaterThan(2);
  for (const example of examples) expect(configurationSchema.safeParse(example).error).toBeUndefined();
});
