import type { z } from 'zod';
import type { Role } from '../contexts/agent/key/events.ts';
import type { ProblemCode } from './problem.ts';

/** Who sends a request, as its API key says. */
export type Principal = {
  readonly keyId: string;
  readonly role: Role;
  /** The agent that a key of role `agent` speaks for; null for all other roles. */
  readonly agentId: string | null;
  /** The repositories whose tasks it may read and change; null: all. */
  readonly repositories: readonly string[] | null;
  /** The teams of the person that the key is of, by name; empty for all others. */
  readonly teams: readonly string[];
  /** Opaque caller for events and logs, and whom messages and questions are for: `key:<keyId>`, `agent:<agentId>`, or `user:<userId>` where the key is a person's. */
  readonly actor: string;
};

/** From where a request came, as far as it can be told. */
export type Peer = {
  /** Of the connection. */
  readonly address: string;
  /** The header X-Forwarded-For, as it was sent. */
  readonly forwardedFor: string | undefined;
};

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Who may call: everybody (`public`), or keys of these roles. */
export type Access = 'public' | readonly Role[];

/** One request after parsing: params, query, headers and body as their schemas give them (undefined without a schema). */
export type RouteInput<Params = unknown, Query = unknown, Body = unknown, Headers = unknown> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Headers;
  /** The body of a `raw` route; empty for all others. */
  readonly bytes: Uint8Array;
  /** Which of the media types of a `raw` route the body came as; the first where the request names none. */
  readonly mediaType: string;
  /** null on public routes. */
  readonly principal: Principal | null;
  readonly correlationId: string;
  /** W3C Trace Context of this request's own span. */
  readonly traceparent: string;
  /** Aborts when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
};

type Head = { readonly status?: number; readonly headers?: Readonly<Record<string, string>> };

/** What a handler answers: JSON, bytes, or chunks as they come (back-pressure is kept; none is asked for where no body is due). Status: 200 when left out. */
export type Reply =
  | (Head & { readonly json: unknown })
  | (Head & { readonly bytes: Uint8Array; readonly mediaType: string })
  | (Head & { readonly stream: AsyncIterable<string | Uint8Array>; readonly mediaType: string });

/** What OpenAPI tells about one status. */
export type AnswerDescription = {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default: application/json. */
  readonly mediaType?: string;
  /** The media type of the same, one JSON text a line. */
  readonly lines?: string;
  /** Header name → description. */
  readonly headers?: Readonly<Record<string, string>>;
};

type Shape<Params, Query, Body, Headers> = {
  readonly method: Method;
  /** In OpenAPI's form, whole: `/api/v1/tasks/{id}`. */
  readonly path: string;
  readonly role: Access;
  /** Also takes keys that are limited to repositories, all or those of these roles: its handler keeps within them. Left out: none. */
  readonly scoped?: true | readonly Role[];
  readonly summary: string;
  readonly description?: string;
  /** Groups routes in the documentation; default: the resource in the path. */
  readonly tag?: string;
  readonly params?: Params;
  /** Make it strict: an unknown parameter is refused. Values come as text, or lists of text when repeated. */
  readonly query?: Query;
  /** JSON body; an absent body is parsed as `{}`. */
  readonly body?: Body;
  /** The body as raw bytes, in `input.bytes`, instead of `body`. */
  readonly raw?: { readonly mediaTypes: readonly [string, ...string[]] };
  /** Bytes of the body; default 100 kB. */
  readonly maxBodyBytes?: number;
  /** A body that is larger, or of which nobody says how large it is, waits unread for one of few places. Default: none waits. */
  readonly largeBodyBytes?: number;
  /** An object with lower-case names; other headers are left out. */
  readonly headers?: Headers;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Problems beside those that follow from role, schemas and body. */
  readonly problems?: readonly ProblemCode[];
};

export type RouteDefinition<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Headers extends z.ZodObject | z.ZodUndefined,
> = Shape<Params, Query, Body, Headers> & {
  readonly handler: (
    input: RouteInput<z.infer<Params>, z.infer<Query>, z.infer<Body>, z.infer<Headers>>,
  ) => Promise<Reply> | Reply;
};

/** A route of the table that both Express (`mount.ts`) and OpenAPI (`openapi.ts`) are made from. */
export type Route = Shape<z.ZodType, z.ZodType, z.ZodType, z.ZodObject | z.ZodUndefined> & {
  readonly handle: (input: RouteInput) => Promise<Reply> | Reply;
};

/**
 * Declares a route: what comes in, who may, what goes out, and the handler, whose input has the schemas' types.
 * The handler throws `Problem` or `CommandRefused` for anything but success.
 */
export function route<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Headers extends z.ZodObject | z.ZodUndefined = z.ZodUndefined,
>(definition: RouteDefinition<Params, Query, Body, Headers>): Route {
  const { handler, ...shape } = definition;
  return {
    ...shape,
    handle: (input) => handler(input as RouteInput<z.infer<Params>, z.infer<Query>, z.infer<Body>, z.infer<Headers>>),
  };
}
