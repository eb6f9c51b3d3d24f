import type { Commands } from '@workledger/shared/commands/port.ts';
import type { CommandType } from '@workledger/shared/commands/catalogue.ts';
import { evaluateFlag, flagQuestion, flagVerdict } from '@workledger/shared/config/flags.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { configurationCommands } from '@workledger/shared/contexts/sync/configuration/commands.ts';
import { configurationId, environmentName } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { word } from '@workledger/shared/contexts/text.ts';
import { Problem, type ProblemCode } from '@workledger/shared/http/problem.ts';
import { route, type Route, type RouteInput } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { accepted, commandHeaders, expectedRevision, receiptReply } from './command-route.ts';
import { rolesOf } from './may-send.ts';
import { sendCommand } from './send-command.ts';

const CONFIGURATION = '/api/v1/configuration';
const ENVIRONMENT = `${CONFIGURATION}/environments/{name}`;
const PROBLEMS: readonly ProblemCode[] = [
  ...(['out-of-range', 'forbidden', 'too-large', 'idempotency-key-reused', 'revision-mismatch'] as const),
  'unavailable',
];
/** All that may be set. */
const BODY_BYTES = 256 * 1024;

/** Here a revision can be named before there is one: an environment's values begin with none. */
const headersHere = commandHeaders.extend({
  'if-match': z
    .string()
    .regex(/^(\*|(W\/)?"(-1|\d{1,15})")$/, 'one revision in quotes, such as "3"; "-1": nothing was ever set')
    .optional()
    .describe(
      'The revision (ETag) that the change is meant for, "-1" for the first; at another it is refused with 412.',
    ),
});

const byName = z.strictObject({ name: environmentName });
const revise = configurationCommands['configuration.revise'].data.omit({ environment: true });
const replace = configurationCommands['configuration.replace'].data.omit({ environment: true });
const back = configurationCommands['configuration.roll-back'].data;

export type FlagReader = Pick<Configuration, 'flags'>;

/** What the API sets over the configuration's file. */
export const configurationRoutes = (commands: Commands, configuration: FlagReader = { flags: [] }): Route[] => {
  type Headers = z.infer<typeof commandHeaders>;
  const send = async (
    input: RouteInput<unknown, unknown, unknown, Headers>,
    type: CommandType,
    name: string,
    data: { readonly environment: z.infer<typeof environmentName> },
  ) => {
    const key = input.headers['idempotency-key'];
    const target = configurationId(data.environment);
    const revision = expectedRevision(input.headers['if-match']);
    const request = { type, route: name, target, data, idempotencyKey: key, expectedRevision: revision };
    return receiptReply(await sendCommand(commands, input, request), key);
  };
  const common = (type: CommandType) => ({
    role: rolesOf(type),
    headers: headersHere,
    maxBodyBytes: BODY_BYTES,
    answers: { 200: accepted },
  });
  return [
    route({
      ...common('configuration.revise'),
      method: 'patch',
      path: ENVIRONMENT,
      summary: 'Change what is set over the file, value by value',
      description:
        'All of it or nothing: what would make the configuration invalid is refused, each fault by its JSON pointer. Commands, environment, sandbox ' +
        'and trust of repositories and agents are changed by administrators only. It is valid within a second, without a restart; runs that have begun go on ' +
        'with what they began with.',
      params: byName,
      body: revise,
      problems: PROBLEMS,
      handler: (input) => {
        const data = { ...input.body, environment: input.params.name };
        return send(input, 'configuration.revise', `PATCH ${ENVIRONMENT}`, data);
      },
    }),
    route({
      ...common('configuration.replace'),
      method: 'put',
      path: ENVIRONMENT,
      summary: 'Set all that is set over the file',
      description: 'What is not named is taken back, and the file is valid again. Refused as a change is.',
      params: byName,
      body: replace,
      problems: PROBLEMS,
      handler: (input) => {
        const data = { ...input.body, environment: input.params.name };
        return send(input, 'configuration.replace', `PUT ${ENVIRONMENT}`, data);
      },
    }),
    route({
      ...common('configuration.roll-back'),
      method: 'post',
      path: `${CONFIGURATION}/rollback`,
      summary: 'Go back to an earlier revision',
      description:
        'A new revision with the content of that one; refused as a change is, where that does not fit any more.',
      body: back,
      problems: [...PROBLEMS, 'unknown-reference'],
      handler: (input) => send(input, 'configuration.roll-back', `POST ${CONFIGURATION}/rollback`, input.body),
    }),
    route({
      method: 'post',
      path: `${CONFIGURATION}/flags/{name}/evaluate`,
      role: ['viewer', 'agent', 'operator', 'auditor', 'admin'],
      summary: 'Whether a flag is on for somebody',
      params: z.strictObject({ name: word }),
      body: flagQuestion,
      answers: { 200: { description: 'Whether it is on, and why.', schema: flagVerdict } },
      problems: ['not-found'],
      handler: ({ params: { name }, body: { subject, attributes } }) => {
        const flag = configuration.flags.find((one) => one.name === name);
        if (flag === undefined) throw new Problem('not-found', `there is no flag ${name}`);
        return { json: { name, ...evaluateFlag(flag, subject, attributes) }, headers: { 'Cache-Control': 'no-store' } };
      },
    }),
  ];
};
