import { expect, it } from 'vitest';
import { withLinks } from './with-links.ts';

const paper = { digest: 'a'.repeat(64), size: 3, mediaType: 'text/plain' };
const linked = { ...paper, href: `/api/v1/artefacts/${'a'.repeat(64)}` };

it('gives every artefact a link, however deep, and changes nothing else', () => {
  const before = { state: 'done', none: null, list: [paper, 1, { diff: paper }], digest: 'no artefact' };
  expect(withLinks(before)).toEqual({
    state: 'done',
    none: null,
    list: [linked, 1, { diff: linked }],
    digest: 'no artefact',
  });
});
