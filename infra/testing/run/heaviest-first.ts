import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest files (90 seconds and more), wherever they stand. */
const HEAVIEST = [
  'the-relay-loses-nothing',
  'a-command-sent-twice',
  'while-a-store-is-away',
  'every-step-of-a-saga',
  'an-accepted-command-survives',
];
const PROJECTS = ['guarantees', 'integration', 'unit'];

/** Promises before integration before unit tests, the heaviest of them first; among equals as Vitest would. */
export default class HeaviestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

function rank({ project, moduleId }: TestSpecification): number {
  const heavy = HEAVIEST.findIndex((name) => moduleId.includes(`/${name}`));
  return heavy === -1 ? HEAVIEST.length + PROJECTS.indexOf(project.name) : heavy;
}
