import { z } from 'zod';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { isNamedWithin } from '@workledger/shared/read-models/artefact-owners.ts';
import { scopeOf } from '../reading/scope.ts';
import { type QueryOptions, READERS } from '../reading/query-route.ts';

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*(; ?[a-z0-9-]+=[A-Za-z0-9._+-]+)*$/i;

/** GET /artefacts/{digest}. Whoever wrote it may mean harm: a browser must neither guess its type nor run it. */
export const getArtefact = ({ artefacts, pool }: QueryOptions): Route =>
  route({
    method: 'get',
    path: '/api/v1/artefacts/{digest}',
    role: READERS,
    scoped: true,
    summary: 'The bytes of an artefact',
    params: z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 as 64 lower-case hex digits') }),
    query: z.strictObject({}),
    answers: {
      200: {
        description: 'The bytes as they were stored, to download; HEAD and If-None-Match (304) read none of them.',
        mediaType: '*/*',
      },
    },
    problems: ['not-found'],
    handler: async ({ params: { digest }, principal }) => {
      const scope = scopeOf({ principal });
      const isReadable = scope === null || (await isNamedWithin(pool, scope, digest));
      const found = isReadable ? await artefacts.head(digest) : null;
      if (found === null) throw new Problem('not-found', `there is no artefact ${digest}`);
      return {
        stream: artefacts.stream(digest),
        mediaType: MEDIA_TYPE.test(found.mediaType) ? found.mediaType : 'application/octet-stream',
        headers: {
          'Content-Length': String(found.size),
          ETag: `"${digest}"`,
          'Cache-Control': 'private, max-age=31536000, immutable',
          'Content-Disposition': `attachment; filename="${digest}"`,
          'Content-Security-Policy': "sandbox; default-src 'none'",
          'X-Content-Type-Options': 'nosniff',
        },
      };
    },
  });
