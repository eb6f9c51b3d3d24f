/** Of these engines those that WORKLEDGER_ENGINES names, commas between; all where it is not set. */
export function chosen<Engine extends { readonly name: string }>(engines: readonly Engine[]): readonly Engine[] {
  const names = process.env['WORKLEDGER_ENGINES']?.split(',');
  return names === undefined ? engines : engines.filter(({ name }) => names.includes(name));
}
