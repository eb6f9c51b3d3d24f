import { createRequire } from 'node:module';
import { Language as Grammar, Parser } from 'web-tree-sitter';
import { languageOf } from '../context/languages.ts';

let begun: Promise<void> | null = null;
const parsers = new Map<string, Promise<Parser>>();

function parserFor(grammar: string): Promise<Parser> {
  const found = parsers.get(grammar) ?? load(grammar);
  parsers.set(grammar, found);
  return found;
}

async function load(grammar: string): Promise<Parser> {
  await (begun ??= Parser.init());
  const require = createRequire(import.meta.url);
  const parser = new Parser();
  parser.setLanguage(await Grammar.load(require.resolve(`tree-sitter-wasms/out/tree-sitter-${grammar}.wasm`)));
  return parser;
}

/**
 * Whether a file is broken that was whole before, by its language's grammar; nothing is run. What a grammar does not read of the file as it
 * was, it does not judge. @param before null: there was no such file @returns where it is broken, in words; null: nothing is known against it
 */
export async function brokenSyntax(path: string, text: string, before: string | null): Promise<string | null> {
  if (path.endsWith('.json')) {
    if (before !== null && jsonFault(before) !== null) return null;
    return jsonFault(text);
  }
  const language = languageOf(path);
  if (language === null) return null;
  const parser = await parserFor(language.grammar);
  const line = firstError(parser, text);
  if (line === null || (before !== null && firstError(parser, before) !== null)) return null;
  return `it is no ${language.name} from line ${line} on`;
}

function jsonFault(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `it is no JSON: ${(error as Error).message}`;
  }
}

/** The line of the first error, from 1; null: there is none, or the grammar stumbles. */
function firstError(parser: Parser, text: string): number | null {
  let tree: ReturnType<Parser['parse']>;
  try {
    tree = parser.parse(text);
  } catch {
    parser.reset();
    return null;
  }
  if (tree === null) return null;
  try {
    let node = tree.rootNode;
    if (!node.hasError) return null;
    for (;;) {
      const next = node.children.find((child) => child !== null && (child.hasError || child.isMissing));
      if (next === undefined || next === null) return node.startPosition.row + 1;
      node = next;
    }
  } finally {
    tree.delete();
  }
}
