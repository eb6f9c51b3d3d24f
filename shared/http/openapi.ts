import { z } from 'zod';
import type { Role } from '../contexts/agent/key/events.ts';
import { problemKinds, type ProblemCode } from './problem.ts';
import type { Route } from './route.ts';

export type ApiInformation = { readonly title: string; readonly version: string };
type Json = Record<string, unknown>;

/** Describes a table of routes as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1). */
export function openApi(routes: readonly Route[], { title, version }: ApiInformation): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: { title, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: wl_<id>_<secret>_<mac>' } },
    },
  };
}

const operation = (route: Route): Json => ({
  operationId: operationId(route),
  summary: route.summary,
  tags: [route.tag ?? route.path.split('/').find((segment, index) => index >= 3 && segment !== '') ?? 'service'],
  ...(description(route) === '' ? {} : { description: description(route) }),
  security: route.role === 'public' ? [] : [{ key: [] }],
  ...(route.role === 'public' ? {} : { 'x-roles': route.role, 'x-limited-keys': limitedRoles(route) }),
  parameters: [
    ...parameters(route.params, 'path'),
    ...parameters(route.query, 'query'),
    ...parameters(route.headers, 'header'),
  ],
  ...requestBody(route),
  responses: { ...answers(route), ...problems(route) },
});

const description = (route: Route): string =>
  [route.description, ...(route.role === 'public' ? [] : [`Roles: ${route.role.join(', ')}. ${scopeOf(route)}`])]
    .filter((part) => part !== undefined)
    .join('\n\n');

/** Roles that a key may have that is limited to repositories. */
const limitedRoles = ({ role, scoped = [] }: Route): readonly Role[] =>
  role === 'public' ? [] : role.filter((one) => limitable.includes(one) && (scoped === true || scoped.includes(one)));
const limitable: readonly Role[] = ['viewer', 'agent', 'operator'];

const scopeOf = (route: Route): string => {
  const roles = limitedRoles(route);
  return roles.length === 0
    ? 'Not for a key that is limited to repositories.'
    : `A key that is limited to repositories (${roles.join(', ')}) finds here what belongs to them only.`;
};

const operationId = ({ method, path }: Route): string =>
  [method, ...path.split('/').slice(1)]
    .map((part) => part.replaceAll(/[{}]/g, '').replaceAll(/[^A-Za-z0-9]+/g, '-'))
    .join('-');

function parameters(schema: z.ZodType | undefined, place: 'path' | 'query' | 'header'): Json[] {
  if (schema === undefined) return [];
  const object = jsonSchema(schema, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(object.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || (object.required ?? []).includes(name),
    ...(typeof property['description'] === 'string' ? { description: property['description'] } : {}),
    schema: property,
  }));
}

function requestBody(route: Route): Json {
  if (route.raw !== undefined) {
    const content = Object.fromEntries(route.raw.mediaTypes.map((mediaType) => [mediaType, {}]));
    return { requestBody: { required: true, content } };
  }
  if (route.body === undefined) return {};
  const required = !route.body.safeParse({}).success;
  return { requestBody: { required, content: { 'application/json': { schema: jsonSchema(route.body, 'input') } } } };
}

const answers = (route: Route): Json =>
  Object.fromEntries(
    Object.entries(route.answers).map(
      ([status, { description, schema, mediaType = 'application/json', lines, headers = {} }]) => [
        status,
        {
          description,
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }]),
          ),
          content: {
            [mediaType]: schema === undefined ? {} : { schema: jsonSchema(schema, 'output') },
            ...(lines === undefined ? {} : { [lines]: {} }),
          },
        },
      ],
    ),
  );

/** The problems of a route by status: those that it names, and those that follow from its parts. */
function problems(route: Route): Json {
  const codes = new Set<ProblemCode>([
    ...((route.params ?? route.query ?? route.body ?? route.headers) ? (['invalid-request'] as const) : []),
    ...(route.body ? (['invalid-json'] as const) : []),
    ...((route.body ?? route.raw) ? (['too-large', 'unsupported-media-type'] as const) : []),
    // A head that is too large is refused before it is known for which route it is.
    'headers-too-large',
    'method-not-allowed',
    ...(route.role === 'public'
      ? []
      : (['unauthenticated', 'key-expired', 'forbidden', 'too-many-failed-attempts'] as const)),
    ...(route.problems ?? []),
    'internal-error',
  ]);
  const statuses = new Set([...codes].map((code) => problemKinds[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      {
        description: [...codes].filter((code) => problemKinds[code].status === status).join(', '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

/** By schema, what it is described as. */
const descriptions = new WeakMap<z.core.$ZodType, z.ZodType>();

/**
 * Takes what `taken` takes, and is described like the first schema: where what is wrong with it is said by who uses it.
 * The description is made when it is asked for: that of all commands took a twelfth of a start.
 */
export function describedAs<Taken extends z.ZodType>(schema: z.ZodType, taken: Taken): Taken {
  const described = taken.clone();
  descriptions.set(described, schema);
  return described;
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: made }) => {
      const description = descriptions.get(zodSchema);
      if (description !== undefined) Object.assign(made, jsonSchema(description, 'input'));
      // A slash needs no escape outside of JavaScript's literals, and some readers of patterns know none.
      if (typeof made.pattern === 'string') made.pattern = made.pattern.replaceAll(String.raw`\/`, '/');
    },
  });
  return rest;
}

const problemSchema = z.object({
  type: z.string().describe('https://workledger.dev/problems/<code>'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().optional(),
  correlationId: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
});
