/** What a text means: a vector of length one, a byte a dimension, times `scale`. */
export type Embedding = { readonly vector: Int8Array; readonly scale: number };

/** Computes what texts mean. */
export type Embeddings = {
  /** What made them: embeddings of different models cannot be compared. */
  readonly model: string;
  readonly dimensions: number;
  /** Texts that one call may have at most. */
  readonly batch: number;
  /**
   * One embedding a text, in their order.
   * @param timeoutMs milliseconds for all of them, in one try; default: as configured, and tried again @throws EmbeddingsFailed
   */
  embed(
    texts: readonly string[],
    options: { readonly signal: AbortSignal; readonly timeoutMs?: number },
  ): Promise<Embedding[]>;
};

/** There is no answer, or none that can be used. */
export class EmbeddingsFailed extends Error {
  override name = 'EmbeddingsFailed';
  /** It is there, and refused what was sent: another text may be fine. */
  readonly ofText: boolean;
  constructor(
    message: string,
    { ofText = false, cause }: { readonly ofText?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.ofText = ofText;
  }
}

/** Brings a vector to length one, and each of its numbers into a byte. @throws EmbeddingsFailed when it has no direction */
export function quantised(numbers: readonly number[]): Embedding {
  const length = Math.hypot(...numbers);
  const largest = numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0) / length;
  if (!Number.isFinite(largest) || largest === 0) throw new EmbeddingsFailed('an embedding has no direction');
  const scale = largest / 127;
  return { vector: Int8Array.from(numbers, (number) => Math.round(number / length / scale)), scale };
}
