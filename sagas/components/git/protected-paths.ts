import type { Repository } from '@workledger/shared/config/schema.ts';

/** What a host runs by itself, with a repository's secrets, as soon as it is pushed. */
const CI_DEFINITIONS = [
  ...[
    '.github',
    '.gitlab',
    '.gitlab-ci.yml',
    '.circleci',
    '.forgejo',
    '.gitea',
    '.woodpecker',
    '.buildkite',
    '.teamcity',
  ],
  ...[
    '.woodpecker.yml',
    '.woodpecker.yaml',
    '.drone.yml',
    '.travis.yml',
    '.cirrus.yml',
    '.semaphore',
    '.azure-pipelines',
  ],
  ...[
    'azure-pipelines.yml',
    'bitbucket-pipelines.yml',
    'Jenkinsfile',
    'appveyor.yml',
    '.appveyor.yml',
    'buildspec.yml',
  ],
  ...['cloudbuild.yaml', 'cloudbuild.yml', 'codefresh.yml', 'wercker.yml', '.build.yml', '.builds'],
].map((path) => `:(top,literal)${path}`);

/** Git pathspecs of what work must not change: those of the registration, and where it does not say otherwise definitions of CI. */
export const protectedPathsOf = ({ protectedPaths, protectCi }: Repository): readonly string[] => [
  ...protectedPaths,
  ...(protectCi ? CI_DEFINITIONS : []),
];
