import { z } from 'zod';

/** What every row has: the id that its key function gives it. */
export type ReadModelRow = { readonly id: string };

/** A row's type from its schema. Nobody changes a row in place. */
export type RowOf<Schema extends z.ZodType> = Immutable<z.infer<Schema>>;

type Immutable<Value> = Value extends object ? { readonly [Name in keyof Value]: Immutable<Value[Name]> } : Value;

/**
 * What writers and readers of a read model agree on. Its rows are in `read_models.<table>`, a view of the current
 * version's table `<table>_v<version>`; its progress is kept under (name, version).
 */
export type ReadModel<Row extends ReadModelRow = ReadModelRow> = {
  readonly name: string;
  readonly version: number;
  readonly table: string;
  /** The stream types that it follows, whole. */
  readonly streams: readonly string[];
  /** Of a row: its type, its columns and what the API answers come from it. A nullable field is a nullable column. */
  readonly schema: z.ZodObject;
  /** Every field of a row; in SQL the same words in snake case. */
  readonly columns: readonly (keyof Row & string)[];
};

/** Declares a read model: its columns are the schema's fields. */
export const defineReadModel = <Schema extends z.ZodObject & z.ZodType<ReadModelRow>>(
  model: Omit<ReadModel, 'columns' | 'schema'> & { readonly schema: Schema },
): ReadModel<RowOf<Schema> & ReadModelRow> => ({
  ...model,
  columns: Object.keys(model.schema.shape),
});

/** Of a row: whatever may be null is null. */
export const nullsOf = <Schema extends z.ZodObject>(schema: Schema): NullsOf<RowOf<Schema>> => {
  const nullable = Object.entries<z.ZodType>(schema.shape).filter(([, field]) => field.safeParse(null).success);
  return Object.fromEntries(nullable.map(([name]) => [name, null])) as NullsOf<RowOf<Schema>>;
};
type NullsOf<Row> = { readonly [Name in keyof Row as null extends Row[Name] ? Name : never]: null };

/** The revision of the stream that a row belongs to. */
export const revision = z.int().min(0).describe('revision of its stream, also the ETag');

/** A moment, as rows and answers have it. */
export const time = z.iso.datetime({ offset: true });

/** `createdAt` → `created_at` */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The select list that gives a model's rows their own field names. */
export const selectList = (columns: readonly string[], alias?: string): string =>
  columns.map((name) => `${alias === undefined ? '' : `${alias}.`}${snakeCase(name)} as "${name}"`).join(', ');
