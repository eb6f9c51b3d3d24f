import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { removeFolder, temporaryFolder } from '@workledger/infra/testing/processes/folder.ts';
import { commitAsUser, createUserRepository } from '@workledger/infra/testing/repository/git.ts';
import { repositorySchema } from '@workledger/shared/config/schema.ts';
import { EmbeddingsFailed, quantised, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatheredForPrompt } from './gather.ts';
import { openLibrary } from './library.ts';

let folder: string;
let user: string;
let gitFolder: string;
const commits: string[] = [];

const files = {
  'src/queue.ts': `export function enqueue(item: string) {\n  return item;\n}\n`,
  'src/mail.ts': `import { enqueue } from './queue.ts';\nexport const sendMail = (to: string) => enqueue(to);\n`,
  'src/billing.ts': 'export const invoice = (amount: number) => amount;\n',
  'package-lock.json': '{ "invoice": 1 }\n',
};

beforeAll(async () => {
  folder = await temporaryFolder('context');
  user = join(folder, 'user');
  gitFolder = join(user, '.git');
  commits.push(createUserRepository(user, files));
  commits.push(commitAsUser(user, { 'src/mail.ts': `${files['src/mail.ts']}// late\n` }, 'Letters arrive late'));
  commits.push(
    commitAsUser(user, { 'src/billing.ts': `${files['src/billing.ts']}// late\n` }, 'Reminders for debtors'),
  );
});
afterAll(() => removeFolder(folder));

describe('the library of a repository', () => {
  const open = (name: string) => openLibrary(gitFolder, join(folder, name));

  it('parses each content once, after a commit only what it changed, and nothing after a new start', async () => {
    const library = await open('once.jsonl');
    await library.at(commits[0]!);
    expect(library.parsed()).toBe(3);
    await library.at(commits[1]!);
    expect(library.parsed()).toBe(4);
    const again = await open('once.jsonl');
    const { index } = await again.at(commits[1]!);
    expect(again.parsed()).toBe(0);
    expect(index.files.map(({ path, facts }) => [path, facts?.definitions.map(({ name }) => name)])).toEqual([
      ['package-lock.json', undefined],
      ['src/billing.ts', ['invoice']],
      ['src/mail.ts', ['sendMail']],
      ['src/queue.ts', ['enqueue']],
    ]);
  });

  it('begins anew where what it kept is damaged, or of another edition', async () => {
    await (await open('bad.jsonl')).at(commits[0]!);
    const text = await readFile(join(folder, 'bad.jsonl'), 'utf8');
    const [head, ...lines] = text.split('\n');
    await writeFile(join(folder, 'bad.jsonl'), [head, lines[0]!.slice(0, 50), ...lines.slice(1)].join('\n'));
    const torn = await open('bad.jsonl');
    await torn.at(commits[0]!);
    expect(torn.parsed()).toBe(1);
    await writeFile(join(folder, 'bad.jsonl'), text.replace(head!, 'before'));
    const older = await open('bad.jsonl');
    await older.at(commits[0]!);
    expect(older.parsed()).toBe(3);
  });

  it('knows nothing of what came after the commit that is asked for', async () => {
    const { history } = await (await open('past.jsonl')).at(commits[1]!);
    expect(history.commits.map(({ subject, paths }) => [subject, paths.length])).toEqual([
      ['Letters arrive late', 1],
      ['First', 4],
    ]);
  });
});

describe('what a prompt tells of the code', () => {
  const { logger, text: logged } = captureLog();
  const kept = new Map<string, string>();
  const artefacts = {
    put: async (bytes: Uint8Array, mediaType: string) => {
      const digest = createHash('sha256').update(bytes).digest('hex');
      kept.set(digest, Buffer.from(bytes).toString('utf8'));
      return { digest, size: bytes.length, mediaType };
    },
    get: async () => null,
  };
  const tell = (
    title: string,
    commit: string,
    tokens?: number,
    at: string = gitFolder,
    embeddings: Embeddings | null = null,
  ) => {
    const context = tokens === undefined ? {} : { context: { tokens } };
    const repository = repositorySchema.parse({ name: 'shop', url: user, test: ['true'], ...context });
    return gatheredForPrompt(
      {
        repository,
        mirror: { url: user, login: null, gitFolder: at, originFolder: at },
        signal: new AbortController().signal,
        secrets: {
          text: (text) => text.replaceAll('enqueue', '[hidden]'),
          result: (all) => all,
          failure: (error) => error,
        },
        environment: {
          ...{ embeddings, artefacts, logger, dataFolder: folder, configuration: { repositories: [], agents: [] } },
          readTask: async () => ({ title, description: '', words: null }),
        },
      },
      { taskId: 'task', commit },
    );
  };

  it('is kept as an artefact, with its tokens and files in the result, and without known secrets', async () => {
    const { text, told } = await tell('Letters are lost', commits[2]!);
    expect(told.gathered?.files[0]).toBe('src/mail.ts');
    expect(told.gathered?.tokens).toBeGreaterThan(50);
    expect(kept.get(told.context!.digest)).toBe(text);
    expect(text).toContain('export const sendMail');
    expect(text).not.toContain('enqueue');
  });

  it('is within what the configuration allows', async () => {
    const { told } = await tell('Letters are lost', commits[2]!, 60);
    expect(told.gathered?.tokens).toBeLessThanOrEqual(60);
    expect(await tell('Letters are lost', commits[2]!, 0)).toEqual({ text: null, told: {} });
  });

  it('is of the commit that is asked for', async () => {
    const before = await tell('Reminders', commits[1]!);
    expect(before.told.gathered?.files[0]).toBe('src/mail.ts');
    const after = await tell('Reminders', commits[2]!);
    expect(after.told.gathered?.files[0]).toBe('src/billing.ts');
  });

  it('is ordered by what files mean as well, where something computes that, and goes on without', async () => {
    const embed = (): Promise<never> => Promise.reject(new EmbeddingsFailed('away'));
    const embeddings = { model: 'none', dimensions: 2, batch: 8, embed };
    expect((await tell('Letters were late', commits[2]!, 500, gitFolder, embeddings)).told.gathered?.files[0]).toBe(
      'src/mail.ts',
    );
    expect(logged()).toContain('cannot tell what files mean');
    const embed2 = (texts: readonly string[]) =>
      Promise.resolve(texts.map((text) => quantised(/debt|billing/.test(text) ? [1, 0] : [0, 1])));
    // The same words again, now that it works, are told by meaning: what was found without is not kept.
    const counted: string[][] = [];
    const counting = { ...embeddings, embed: (texts: readonly string[]) => (counted.push([...texts]), embed2(texts)) };
    for (let time = 0; time < 2; time++) await tell('Letters were late', commits[2]!, 500, gitFolder, counting);
    expect(counted).toHaveLength(1);
    const near = await tell('A debt of letters', commits[2]!, 500, gitFolder, { ...embeddings, embed: embed2 });
    expect(near.told.gathered?.files).toContain('src/billing.ts');
  });

  it('is left out, with a line in the log, where it cannot be found out', async () => {
    const elsewhere = join(folder, 'elsewhere');
    createUserRepository(elsewhere, { a: 'b' });
    expect(await tell('Letters', commits[2]!, 500, join(elsewhere, '.git'))).toEqual({ text: null, told: {} });
    expect(logged()).toContain('cannot tell the agent of the code');
  });
});
