import { expect, test } from 'vitest';
import { triggersOf } from './triggers.ts';

const BRANCH = 'workledger/check-1';
test.each([
  ['on: push', 'yes', false],
  ['"on": [push, pull_request] # both', 'yes', true],
  ['on:\n  - push\n  - pull_request', 'yes', true],
  ['on:\n- push', 'yes', false],
  ['name: ci\non:\n  push:\n  pull_request:\n    branches: [main]\njobs: {}', 'yes', true],
  ['on:\n  push:\n    branches: [main]', 'filtered', false],
  ["on:\n  push:\n    branches:\n      - main\n      - 'workledger/**'", 'yes', false],
  ["on:\n  push:\n    branches: ['**', '!workledger/*']", 'filtered', false],
  ["on:\n  push:\n    branches-ignore: ['workledger/*']", 'filtered', false],
  ['on:\n  push:\n    branches-ignore:\n    - main\n  workflow_dispatch:', 'yes', false],
  ["on:\n  push:\n    tags: ['v*']", 'filtered', false],
  ["on:\n  push:\n    paths: ['src/**']", 'filtered', false],
  ["on:\n  schedule:\n    - cron: '0 0 * * *'\njobs:\n  push:\n    runs-on: x", 'no', false],
  ['jobs:\n  a:\n    on: push', 'no', false],
  ['', 'no', false],
] as const)('of %j', (workflow, push, pullRequest) => {
  expect(triggersOf(workflow, BRANCH)).toEqual({ push, pullRequest });
});
