import { createRequire } from 'node:module';
import { Language as Grammar, Parser, Query, type Node, type Tree } from 'web-tree-sitter';
import type { Definition, Parsed } from './facts.ts';
import { languageOf, type Language } from './languages.ts';
import { countWords } from './words.ts';

/** Reads what a file defines, needs and speaks of. */
export type Analyse = (path: string, text: string) => Promise<Parsed>;

const MOST_DEFINITIONS = 300;
const MOST_REFERENCES = 400;
const MOST_IMPORTS = 200;
const MOST_WORDS = 2_000;
const LONGEST_SIGNATURE = 140;
/** Lines. */
const LONGEST_DEFINITION = 400;
/** A name of fewer characters is found everywhere. */
const SHORTEST_NAME = 3;

type Tool = { readonly parser: Parser; readonly query: Query };

/** In this thread; grammars are loaded when a file of theirs comes first. */
export function createAnalyse(): Analyse {
  const require = createRequire(import.meta.url);
  const tools = new Map<string, Promise<Tool>>();
  let begun: Promise<void> | null = null;
  async function load({ grammar, query }: Language): Promise<Tool> {
    await (begun ??= Parser.init());
    const loaded = await Grammar.load(require.resolve(`tree-sitter-wasms/out/tree-sitter-${grammar}.wasm`));
    const parser = new Parser();
    parser.setLanguage(loaded);
    return { parser, query: new Query(loaded, query) };
  }
  return async (path, text) => {
    const lines = text.split('\n');
    const words = new Map([...countWords(text)].slice(0, MOST_WORDS));
    const language = languageOf(path);
    const symbols = language === null ? nothing : symbolsOf(await toolFor(language), text, lines);
    return { lines: lines.length, words, ...symbols };
  };

  function toolFor(language: Language): Promise<Tool> {
    const found = tools.get(language.name) ?? load(language);
    tools.set(language.name, found);
    return found;
  }
}

type Symbols = Pick<Parsed, 'definitions' | 'imports' | 'references'>;
const nothing: Symbols = { definitions: [], imports: [], references: [] };

function symbolsOf({ parser, query }: Tool, text: string, lines: readonly string[]): Symbols {
  const tree = parsed(parser, text);
  if (tree === null) return nothing;
  try {
    const definitions: Definition[] = [];
    const imports = new Set<string>();
    const references = new Set<string>();
    const defined = new Set<string>();
    for (const { name: role, node } of query.captures(tree.rootNode)) {
      const said = text.slice(node.startIndex, node.endIndex);
      if (role === 'import') imports.add(said.replaceAll(/^["'`<]{1,3}|["'`>]{1,3}$/g, ''));
      else if (role === 'def') {
        defined.add(said);
        if (definitions.length < MOST_DEFINITIONS) definitions.push(definitionAt(node, said, lines));
      } else if (role === 'ref' && said.length >= SHORTEST_NAME && !said.includes(' ')) references.add(said);
    }
    return {
      definitions,
      imports: [...imports].filter((one) => one !== '').slice(0, MOST_IMPORTS),
      references: [...references].filter((one) => !defined.has(one)).slice(0, MOST_REFERENCES),
    };
  } finally {
    tree.delete();
  }
}

/** Null: its grammar stumbles over it; its words are known all the same. */
function parsed(parser: Parser, text: string): Tree | null {
  try {
    return parser.parse(text);
  } catch {
    parser.reset();
    return null;
  }
}

/** From where its line begins to where the whole of it ends, told by how lines are indented: to ask the tree for it takes a fifth of all time. */
function definitionAt(named: Node, name: string, lines: readonly string[]): Definition {
  const row = named.startPosition.row;
  const first = lines[row] ?? '';
  let end = row;
  for (let next = row + 1; next < lines.length && next - row < LONGEST_DEFINITION; next++) {
    const line = lines[next] ?? '';
    if (line.trim() === '') continue;
    if (indentOf(line) <= indentOf(first)) {
      // A bracket, or the `end` of Ruby, belongs to what it closes; one that opens again goes on.
      if (!/^\s*(?:[)}\]{]|end\b)/.test(line)) break;
      end = next;
      if (!/[({[]\s*$/.test(line)) break;
    } else end = next;
  }
  return { name, line: row + 1, end: end + 1, signature: first.trim().slice(0, LONGEST_SIGNATURE) };
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
