/** What a workflow of GitHub Actions begins on, as far as it concerns a branch that is pushed. */
export type Triggers = {
  /** `filtered`: on pushes, to other branches than this one, or of certain paths. */
  readonly push: 'yes' | 'filtered' | 'no';
  readonly pullRequest: boolean;
};

type Line = { readonly indent: number; readonly text: string };

/**
 * Reads the triggers of a workflow file without a parser of YAML: `on` in its usual forms. What is written in another way is taken for none.
 * Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#on
 */
export function triggersOf(workflow: string, branch: string): Triggers {
  const lines = workflow
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .filter((line) => line.trim() !== '')
    .map((line): Line => ({ indent: line.search(/\S/), text: line.trim() }));
  const on = block(lines, /^['"]?on['"]?\s*:/);
  if (on === null) return { push: 'no', pullRequest: false };
  const names = new Set([
    ...listOf(on),
    ...on.below.filter(isAt(on.below)).map(({ text }) => /^[\w-]+/.exec(text)?.[0] ?? ''),
  ]);
  const push = block(on.below, /^push\s*:/);
  return {
    push: !names.has('push') ? 'no' : push !== null && isFiltered(push.below, branch) ? 'filtered' : 'yes',
    pullRequest: names.has('pull_request') || names.has('pull_request_target'),
  };
}

type Block = { readonly inline: string; readonly below: readonly Line[] };

/** A key at the outermost level of these lines, with what stands below it. */
function block(lines: readonly Line[], key: RegExp): Block | null {
  const at = lines.findIndex((line) => isAt(lines)(line) && key.test(line.text));
  const found = lines[at];
  if (found === undefined) return null;
  const rest = lines.slice(at + 1);
  // A list may stand as far left as its key.
  const end = rest.findIndex(
    ({ indent, text }) => indent < found.indent || (indent === found.indent && !text.startsWith('-')),
  );
  return { inline: found.text.replace(key, '').trim(), below: end < 0 ? rest : rest.slice(0, end) };
}

const isAt =
  (lines: readonly Line[]) =>
  ({ indent }: Line): boolean =>
    indent === Math.min(...lines.map((line) => line.indent));

/** `a`, `[a, b]`, or `- a` in lines of their own. */
const listOf = ({ inline, below }: Block): string[] =>
  [
    ...inline.replaceAll(/^\[|\]$/g, '').split(','),
    ...below.flatMap(({ text }) => (text.startsWith('-') ? [text.slice(1)] : [])),
  ]
    .map((each) => each.trim().replaceAll(/^['"]|['"]$/g, ''))
    .filter((each) => each !== '');

function isFiltered(lines: readonly Line[], branch: string): boolean {
  const only = block(lines, /^branches\s*:/);
  const not = block(lines, /^branches-ignore\s*:/);
  if (only !== null && !isAmong(listOf(only), branch)) return true;
  if (not !== null && isAmong(listOf(not), branch)) return true;
  if (only !== null || not !== null) return block(lines, /^paths(-ignore)?\s*:/) !== null;
  return block(lines, /^(tags(-ignore)?|paths(-ignore)?)\s*:/) !== null;
}

/** The last pattern that fits decides. */
function isAmong(patterns: readonly string[], branch: string): boolean {
  let isIn = false;
  for (const pattern of patterns) {
    const isNot = pattern.startsWith('!');
    if (globOf(isNot ? pattern.slice(1) : pattern).test(branch)) isIn = !isNot;
  }
  return isIn;
}

const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.\\^$(){}|]/g, '\\$&')
      .replaceAll('**', '\u0000')
      .replaceAll('*', '[^/]*')
      .replaceAll('\u0000', '.*')}$`,
  );
