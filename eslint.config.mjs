import { defineConfig, globalIgnores } from 'eslint/config';
import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

const tests = ['**/*.test.ts', '**/contract.ts', '**/testing.ts', '**/testing/**', 'infra/guarantees/**'];

export default defineConfig(
  globalIgnores(['**/node_modules/', '**/.workledger/', 'coverage/', 'infra/local/demo/sample/template/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      'no-console': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-param-reassign': 'error',
      'no-self-compare': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-useless-rename': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    ignores: tests,
    // What meets foreign text must not take more than a step or two a character of it.
    plugins: { regexp },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      // An async function without await is how a port's promise is kept by code that happens to be synchronous.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Ports are records of functions, written as methods; none of ours uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      'no-implied-eval': 'off',
    },
  },
  {
    // Vitest's expect() hands out `any` (expect.any, matchers), and a test may reach for what production code may not.
    files: tests,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Only an interface can add to a module's own, as with Vitest's ProvidedContext.
      '@typescript-eslint/consistent-type-definitions': 'off',
    },
  },
  {
    ignores: tests,
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'AbortSignal',
          property: 'timeout',
          message: 'It may be collected before it is due: timeoutSignal (shared/resilience/) is not.',
        },
      ],
    },
  },
  {
    // One way out: whoever else would call somebody has none of its limits.
    files: ['sagas/components/**', 'shared/embeddings/**'],
    ignores: tests,
    rules: {
      'no-restricted-globals': [
        'error',
        ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'].map((name) => ({
          name,
          message: 'Other systems are called through shared/outbound/ alone.',
        })),
      ],
    },
  },
  {
    // What a person reads on a terminal, or what stands alone as a program.
    files: ['infra/**', '**/*.mjs'],
    rules: { 'no-console': 'off' },
  },
);
