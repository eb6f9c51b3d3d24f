const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const page = (body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Workledger: a GitHub App</title><body>${body}</body></html>`;

/** One button, which posts the manifest to GitHub. */
export const startPage = (action: string, manifest: object): string =>
  page(
    `<h1>A GitHub App for Workledger</h1><form method="post" action="${escaped(action)}">` +
      `<input type="hidden" name="manifest" value="${escaped(JSON.stringify(manifest))}">` +
      '<button type="submit">Create it on GitHub</button></form>',
  );

export const problemPage = (words: string): string =>
  page(`<h1>That did not work</h1><p>${escaped(words)}</p><p><a href="/">Begin again</a></p>`);
