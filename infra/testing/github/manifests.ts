import { randomBytes } from 'node:crypto';
import { notFound, okay, type FakeAnswer } from './answer.ts';

/** How GitHub makes an app of a manifest: a person posts it, and is sent back with a code that is good once. */
export function createManifests(app: { readonly id: string; readonly slug: string }, pem: string) {
  const codes = new Set<string>();
  const posted: { readonly path: string; readonly manifest: Record<string, unknown> }[] = [];
  const webhookSecret = randomBytes(20).toString('hex');
  return {
    posted,
    webhookSecret,
    /** Null: it is about no manifest. @param web where people use it */
    answer: (method: string, asked: URL, body: string, web: string): FakeAnswer | null => {
      if (method === 'POST' && asked.pathname.endsWith('/settings/apps/new')) {
        const manifest = JSON.parse(new URLSearchParams(body).get('manifest') ?? '') as Record<string, unknown>;
        posted.push({ path: asked.pathname, manifest });
        const code = randomBytes(20).toString('hex');
        codes.add(code);
        const back = new URL(String(manifest['redirect_url']));
        back.search = new URLSearchParams({ code, state: asked.searchParams.get('state') ?? '' }).toString();
        return { status: 302, headers: { Location: back.href } };
      }
      const [, code = ''] = /\/app-manifests\/([^/]+)\/conversions$/.exec(asked.pathname) ?? [];
      if (code === '' || method !== 'POST') return null;
      if (!codes.delete(code)) return notFound;
      const { id, slug } = app;
      const client = { client_id: 'Iv1.0', client_secret: 'a client secret that nobody needs' };
      const urls = { html_url: `${web}/apps/${slug}` };
      return okay({ id: Number(id), slug, ...client, ...urls, webhook_secret: webhookSecret, pem }, 201);
    },
  };
}
