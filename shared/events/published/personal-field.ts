/**
 * Publishes the mark of a personal field as `x-personal`. Such a field may hold ciphertext later, so its schema must promise no
 * more than that it is a text.
 * @param field the JSON Schema of any field; changed in place
 * @throws RangeError when a personal field has rules of length or format, or is no text
 */
export function personalField(field: Record<string, unknown>, path: readonly (string | number)[]): void {
  const { personal, type, description: _, ...rules } = field;
  if (personal === undefined) return;
  if (type !== 'string' || Object.keys(rules).length > 0)
    throw new RangeError(
      `${path.join('/')}: a personal field is a text without rules, as it may hold ciphertext later`,
    );
  delete field['personal'];
  field['x-personal'] = personal;
}
