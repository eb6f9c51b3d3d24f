/** Between two tries of what a consumer could not do, on every bus: milliseconds. */
export const PAUSES = { shortest: 50, longest: 5_000 } as const;
