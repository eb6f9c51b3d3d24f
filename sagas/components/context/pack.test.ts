import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCodeIndex } from './code-index.ts';
import { createDictionary, decodeFacts, encodeFacts } from './facts.ts';
import { createHistory } from './history.ts';
import { createFindImported } from './imports.ts';
import { pack } from './pack.ts';
import { createAnalyse } from './parse.ts';
import { questionOf } from './by-words.ts';
import { rank } from './rank.ts';
import type { PastCommit } from './repository.ts';
import { loadTokenizer } from './tokens.ts';

const analyse = createAnalyse();
const count = await loadTokenizer();

/** The index of files as a commit would hold them. */
async function indexOf(files: Readonly<Record<string, string>>) {
  const dictionary = createDictionary();
  const entries = Object.entries(files).map(([path, text], at) => ({
    path,
    text,
    blob: String(at),
    size: text.length,
  }));
  const facts = new Map(
    await Promise.all(
      entries.map(async ({ path, text, blob }) => {
        const decoded = decodeFacts(encodeFacts(blob, await analyse(path, text)), dictionary);
        return [blob, decoded!.facts] as const;
      }),
    ),
  );
  const contents = new Map(entries.map(({ text }, place) => [place, text]));
  return { index: await createCodeIndex(entries, facts, dictionary), contents };
}

async function packed(files: Readonly<Record<string, string>>, title: string, tokens: number, past: PastCommit[] = []) {
  const { index, contents } = await indexOf(files);
  const question = questionOf(title);
  const ranked = rank(question, index, createHistory(past));
  return {
    ...pack(question, index, ranked, { tokens, contents, count }),
    ranked: ranked.map(({ place }) => index.files[place]?.path),
  };
}

const shop = {
  'README.md': 'A shop.',
  'src/basket.ts': `import { priceOf } from './price.ts';\nexport function totalOfBasket(items: string[]) {\n  return items.map(priceOf);\n}\n`,
  'src/price.ts': `export const priceOf = (item: string): number => item.length;\n`,
  'src/mail.ts': `export const sendMail = (to: string): void => console.log(to);\n`,
  'src/page.css': 'body { color: red }',
};

describe('the files that matter', () => {
  it('are those that speak of what is asked, then those that they have to do with', async () => {
    const { ranked } = await packed(shop, 'The total of a basket is wrong', 1_000);
    expect(ranked.slice(0, 2)).toEqual(['src/basket.ts', 'src/price.ts']);
    expect(ranked).not.toContain('src/mail.ts');
  });

  it('are those that were touched under such words before', async () => {
    const past = [
      { subject: 'Customers hear of discounts', paths: ['src/mail.ts'] },
      { subject: 'First', paths: Object.keys(shop) },
    ];
    const { ranked } = await packed(shop, 'No discount is told twice', 1_000, past);
    expect(ranked[0]).toBe('src/mail.ts');
  });

  it('are those that are named', async () => {
    expect((await packed(shop, 'priceOf fails', 1_000)).ranked[0]).toBe('src/price.ts');
    expect((await packed(shop, 'See src/page.css', 1_000)).ranked[0]).toBe('src/page.css');
  });
});

describe('what is told', () => {
  it('begins with what the code base is, and shows the first files whole', async () => {
    const { text, files } = await packed(shop, 'The total of a basket is wrong', 1_000);
    expect(text).toContain('5 files: TypeScript 3');
    expect(text).toContain('- src/ 4');
    expect(text).toContain("### src/basket.ts\n```\nimport { priceOf } from './price.ts';");
    expect(files.slice(0, 2)).toEqual(['src/basket.ts', 'src/price.ts']);
  });

  it('shows of a large file what it defines, and the part that is asked for', async () => {
    const many = Array.from({ length: 200 }, (_, at) => `export function part${at}() {\n  return ${at};\n}\n`).join(
      '\n',
    );
    const large = `${many}\nexport function totalOfBasket() {\n  return 'the total';\n}\n`;
    const { text } = await packed({ 'src/large.ts': large }, 'The total of a basket', 600);
    expect(text).toContain('1: export function part0() {');
    expect(text).toContain("From line 801:\n```\nexport function totalOfBasket() {\n  return 'the total';\n}");
  });

  it('is never more than the budget, and never holds a planted secret', async () => {
    const secret = `ghp_${'aB3dE6gH9k'.repeat(4)}`;
    const files = {
      ...shop,
      'src/basket.ts': `${shop['src/basket.ts']}// ${secret}\nexport const basketKey = '${secret}';\n`,
      'basket/.env': `BASKET=${secret}\n`,
      'src/odd.ts': `export const basket = '<|endoftext|> \u{1F9FA}\u{1F9FA} \`\`\`\`';\n`.repeat(20),
    };
    const { index, contents } = await indexOf(files);
    const question = questionOf('The basket key');
    const ranked = rank(question, index, createHistory([]));
    expect(ranked.map(({ place }) => index.files[place]?.path)).toContain('basket/.env');
    fc.assert(
      fc.property(fc.nat(1_200), (tokens) => {
        const { text, tokens: said, files: told } = pack(question, index, ranked, { tokens, contents, count });
        expect(count(text)).toBe(said);
        expect(said).toBeLessThanOrEqual(tokens);
        expect(text).not.toContain(secret);
        expect(told).not.toContain('basket/.env');
      }),
      { numRuns: 60 },
    );
    const { text } = pack(question, index, ranked, { tokens: 1_200, contents, count });
    expect(text).toContain('[hidden]');
  });
});

it.each([
  ['src/a.ts', './near/b.js', 'src/near/b.ts'],
  ['src/a.ts', '@house/lib/deep/c.ts', 'lib/deep/c.ts'],
  ['src/a.ts', './near', 'src/near/index.ts'],
  ['app/a.py', '.b', 'app/b.py'],
  ['app/a.py', 'app.pack', 'app/pack/__init__.py'],
  ['main.go', 'example.org/me/shop/store', 'shop/store/one.go'],
  ['A.java', 'org.example.Other', 'src/org/example/Other.java'],
  ['app/x.c', 'near.h', 'app/near.h'],
  ['src/main.rs', 'crate::near::Thing', 'src/crate/near.rs'],
])('an import in %s of %s means %s', (from, specifier, wanted) => {
  const others = ['README.md', 'src/near/index.ts', 'zoo/near.h'];
  const paths = [...new Set([wanted, ...others])];
  expect(createFindImported(paths)(from, specifier).map((place) => paths[place])).toContain(wanted);
});

it('a package from elsewhere means no file', () => {
  expect(createFindImported(['src/zod/x.ts', 'a/react.ts'])('src/a.ts', 'react')).toEqual([]);
});
