import { openApi, type ApiInformation } from './openapi.ts';
import { route, type Route } from './route.ts';

/** GET /api/v1/openapi.json: the description of all the given routes and of itself. Public: it says nothing that is secret. */
export function openApiRoute(routes: readonly Route[], information: ApiInformation): Route {
  let document: Record<string, unknown> | undefined;
  const self: Route = route({
    method: 'get',
    path: '/api/v1/openapi.json',
    role: 'public',
    summary: 'This description (OpenAPI 3.1)',
    answers: { 200: { description: 'An OpenAPI 3.1 document.' } },
    handler: () => ({ json: (document ??= openApi([...routes, self], information)) }),
  });
  return self;
}
