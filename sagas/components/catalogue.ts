import { resolve } from 'node:path';
import type { z } from 'zod';
import type { Component } from '../engine/component.ts';
import { diff, inspect } from './code/change.ts';
import { evaluate, validate } from './code/judge.ts';
import { merge, rebase } from './code/merge.ts';
import { cleanup, prepare } from './code/prepare.ts';
import { publish, unpublish } from './code/publish.ts';
import { work } from './code/work.ts';
import type { ComponentEnvironment } from './environment.ts';
import { removeOldMirrors } from './git/mirror.ts';
import { sweepAttempts } from './process/attempt.ts';
import { runComponents, type ComponentDefinition } from './run-component.ts';

/** Every component there is: a name gives the type of its request and result everywhere. A new one is added here, and nowhere else. */
const components = {
  'code.prepare': prepare,
  'code.work': work,
  'code.evaluate': evaluate,
  'code.publish': publish,
  'code.unpublish': unpublish,
  'code.validate': validate,
  'code.merge': merge,
  'code.rebase': rebase,
  'code.diff': diff,
  'code.inspect': inspect,
  'code.cleanup': cleanup,
} as const satisfies Readonly<Record<string, ComponentDefinition>>;

export type ComponentName = keyof typeof components;
export type RequestOf<Name extends ComponentName> = z.infer<(typeof components)[Name]['request']>;
export type ResultOf<Name extends ComponentName> = z.infer<(typeof components)[Name]['result']>;

/** All components, as the engine calls them. */
export function createComponents(options: ComponentEnvironment): readonly Component[] {
  const environment = { ...options, dataFolder: resolve(options.dataFolder) };
  return runComponents(components, environment, sweep(environment));
}

/** Before the first call: ends what a killed Workledger left on this machine. */
async function sweep({ dataFolder, logger }: ComponentEnvironment): Promise<void> {
  try {
    const attempts = await sweepAttempts(dataFolder);
    await removeOldMirrors(dataFolder);
    if (attempts > 0) logger.info({ attempts }, 'ended attempts that a killed process left behind');
  } catch (error) {
    logger.warn({ reason: String(error) }, 'could not end all attempts that a killed process left behind');
  }
}
