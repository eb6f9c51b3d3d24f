import { readdir, readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';

const folder = new URL('schemas/', import.meta.url);

/** Paths of the published files below `schemas/`, sorted. */
export const publishedFiles = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.json')).toSorted();

/** The text of a published file. */
export const publishedText = (file: string): Promise<string> => readFile(new URL(file, folder), 'utf8');

export type SchemaValidator = {
  /** `$id` of every schema. */
  readonly ids: readonly string[];
  /** What is wrong with a published message, by the schema of the envelope and the one that it names; empty: nothing. */
  faults(message: Uint8Array): string[];
};

/** A consumer's view: it knows the published files and nothing else of Workledger. Compiles all of them, strictly. */
export async function createSchemaValidator(): Promise<SchemaValidator> {
  // Formats are told by patterns, too: no need of a second library.
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true, validateFormats: false });
  ajv.addKeyword('x-personal');
  const schemas = await Promise.all(
    (await publishedFiles()).map(async (file) => JSON.parse(await publishedText(file)) as { $id: string }),
  );
  for (const schema of schemas) ajv.addSchema(schema);
  const faultsBy = (id: string, value: unknown): string[] => {
    const validate = ajv.getSchema(id);
    if (validate === undefined) return [`no schema ${id}`];
    return validate(value) === true
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
  return {
    ids: schemas.map(({ $id }) => $id),
    faults: (message) => {
      const event = JSON.parse(Buffer.from(message).toString()) as { dataschema?: string; data: unknown };
      return [
        ...faultsBy('https://workledger.dev/schemas/cloud-event', event),
        ...faultsBy(event.dataschema ?? 'dataschema is missing', event.data),
      ];
    },
  };
}
