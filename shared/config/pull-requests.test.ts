import { describe, expect, it } from 'vitest';
import { parseConfiguration } from './load.ts';
import type { ConfigurationError } from './faults.ts';

const github = { token: { env: 'TOKEN' } };
const repository = { name: 'shop', url: '/shop', test: ['true'], merge: 'pull-request', github: 'acme/shop' };
const faultsOf = (configuration: object): readonly string[] => {
  try {
    parseConfiguration(JSON.stringify(configuration), 'workledger.json');
    return [];
  } catch (error) {
    return (error as ConfigurationError).faults;
  }
};

describe('a repository whose work is merged by pull requests', () => {
  it('is taken with a name on GitHub and a login there, and a person merges unless it says otherwise', () => {
    expect(faultsOf({ github, repositories: [repository] })).toEqual([]);
    const { repositories } = parseConfiguration(JSON.stringify({ github, repositories: [repository] }), 'file');
    const given = { mergedBy: 'person', method: 'merge', pollSeconds: 30, checksSeconds: 900, turnSeconds: 3_600 };
    expect(repositories[0]?.pullRequest).toEqual(given);
  });

  it.each([
    ['a name on GitHub', { github, repositories: [{ ...repository, github: null }] }, 'repositories[0].github: null'],
    ['a login', { repositories: [repository] }, 'github: null'],
    [
      'reviews alone',
      { github, repositories: [{ ...repository, approval: 'before-merge' }] },
      'repositories[0].approval',
    ],
    [
      'known words',
      { github, repositories: [{ ...repository, pullRequest: { by: 'me' } }] },
      'repositories[0].pullRequest.by',
    ],
  ])('is refused without %s', (_, configuration, place) => {
    expect(faultsOf(configuration)).toEqual([expect.stringContaining(`${place}`)]);
  });
});
