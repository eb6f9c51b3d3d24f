/** Counts the tokens of a text as a model would. */
export type CountTokens = (text: string) => number;

let loading: Promise<CountTokens> | null = null;

/** What a model would take for a mark of its own is text like all other. */
const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * The tokenizer that is public and nearest to what models of today have (`cl100k_base`): other models
 * count a little more or less. Its table is loaded when it is first asked for.
 */
export const loadTokenizer = (): Promise<CountTokens> =>
  (loading ??= import('gpt-tokenizer/encoding/cl100k_base').then(
    ({ countTokens }) =>
      (text) =>
        countTokens(text, PLAIN),
  ));
