import type { RequestHandler } from 'express';
import { locals } from '../http/request-context-middleware.ts';
import { Problem } from '../http/problem.ts';
import type { LoadedPlugin } from './load.ts';
import type { Middleware, PluginRequest } from './plugin.ts';

/** A key is nobody's to read but the one's who checks it. */
const HIDDEN = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']);
/** What says how an answer is to be read, or who may read it, stays Workledger's. */
const OWN_HEADERS =
  /^(content-|transfer-|set-cookie|connection|access-control-|x-correlation-id|idempotency-|consistency-token|etag|location|retry-after)/i;

type Named = { readonly name: string; readonly plugin: LoadedPlugin; readonly middleware: Middleware };

/** All middleware of plugins, in the order of the configuration, before any route; null: there is none. Health is never asked of it. */
export function pluginMiddleware(plugins: readonly LoadedPlugin[]): RequestHandler | null {
  const all: readonly Named[] = plugins.flatMap((plugin) =>
    Object.entries(plugin.parts.middleware).map(([name, middleware]) => ({ name, plugin, middleware })),
  );
  if (all.length === 0) return null;
  return (request, response, next) => {
    const path = request.originalUrl.split('?', 1)[0] ?? '';
    if (path === '/health' || path.startsWith('/health/')) return next();
    const asked: PluginRequest = {
      method: request.method,
      path,
      headers: Object.fromEntries(
        Object.entries(request.headers)
          .filter(([name]) => !HIDDEN.has(name))
          .map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
      ),
      address: request.socket.remoteAddress ?? null,
      correlationId: locals(response).context.correlationId,
    };
    const began = performance.now();
    response.once('close', () => {
      const answered = { ...asked, status: response.statusCode, milliseconds: performance.now() - began };
      for (const { name, plugin, middleware } of all) after(name, plugin, middleware, answered);
    });
    for (const one of all) {
      const told = before(one, asked);
      if (told === undefined) continue;
      if ('refuse' in told) throw new Problem('refused-by-plugin', told.refuse.slice(0, 1_000));
      for (const [name, value] of Object.entries(told.headers))
        if (!OWN_HEADERS.test(name)) response.setHeader(name, value);
    }
    next();
  };
}

function before(
  { name, plugin, middleware }: Named,
  asked: PluginRequest,
): ReturnType<NonNullable<Middleware['before']>> {
  if (middleware.before === undefined) return undefined;
  try {
    return plugin.isolation.run(`middleware ${name}`, () => middleware.before?.(asked));
  } catch (error) {
    if (middleware.whenFailing === 'go-on') return undefined;
    const detail = `the plugin "${plugin.manifest.name}" that is asked first fails, and nothing passes without it`;
    throw new Problem('unavailable', detail, { cause: error, headers: { 'Retry-After': '30' } });
  }
}

function after(
  name: string,
  { isolation }: LoadedPlugin,
  middleware: Middleware,
  answered: Parameters<NonNullable<Middleware['after']>>[0],
): void {
  if (middleware.after === undefined) return;
  try {
    isolation.run(`middleware ${name}`, () => middleware.after?.(answered));
  } catch {
    // It was told by the isolation; the answer has been given.
  }
}
