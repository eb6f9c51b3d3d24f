type Answer = 'arrived' | 'lost';

/** An answer that a test gives when it likes. */
export function createHeldAnswer(): { readonly given: Promise<Answer>; give(answer: Answer): void } {
  let give: (answer: Answer) => void = () => undefined;
  const given = new Promise<Answer>((resolve) => (give = resolve));
  return { given, give: (answer) => give(answer) };
}
