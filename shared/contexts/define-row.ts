/** What every row has: the id that its key function gives it. */
export type ReadModelRow = { readonly id: string };

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
  /** Every field of a row; in SQL the same words in snake case. */
  readonly columns: readonly (keyof Row & string)[];
};

/** Declares a read model. `columns` names every field of the row exactly once: the compiler sees to it. */
export const defineReadModel = <Row extends ReadModelRow>(
  model: Omit<ReadModel<Row>, 'columns'> & { readonly columns: Readonly<Record<keyof Row & string, true>> },
): ReadModel<Row> => ({ ...model, columns: Object.keys(model.columns) as (keyof Row & string)[] });

/** `createdAt` → `created_at` */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The select list that gives a model's rows their own field names. */
export const selectList = (columns: readonly string[], alias?: string): string =>
  columns.map((name) => `${alias === undefined ? '' : `${alias}.`}${snakeCase(name)} as "${name}"`).join(', ');
