/** What a handler answers; `all`: a list that is told in pages, below this field of each page where it has one. */
export type FakeAnswer = {
  readonly status: number;
  readonly body?: unknown;
  readonly all?: { readonly items: readonly unknown[]; readonly field?: string };
  readonly headers?: Readonly<Record<string, string>>;
};

const DOCUMENTATION = 'https://docs.github.com/rest';

/** An error as GitHub words it. */
export const refusal = (
  status: number,
  message: string,
  more: { readonly errors?: readonly unknown[]; readonly headers?: Readonly<Record<string, string>> } = {},
): FakeAnswer => ({
  status,
  headers: more.headers ?? {},
  body: {
    message,
    ...(more.errors !== undefined && { errors: more.errors }),
    documentation_url: DOCUMENTATION,
    status: String(status),
  },
});

export const notFound = refusal(404, 'Not Found');

/** @param errors as strings: messages of their own; as objects: a field and what is wrong with it */
export const invalid = (
  resource: string,
  ...errors: readonly (string | { readonly field: string; readonly code: string })[]
) =>
  refusal(422, 'Validation Failed', {
    errors: errors.map((error) =>
      typeof error === 'string' ? { resource, code: 'custom', message: error } : { resource, ...error },
    ),
  });

export const okay = (body: unknown, status = 200): FakeAnswer => ({ status, body });
export const pages = (items: readonly unknown[], field?: string): FakeAnswer => ({
  status: 200,
  all: { items, ...(field !== undefined && { field }) },
});
