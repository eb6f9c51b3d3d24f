/** No answer to a command: it may have taken effect or not. Send it again under the same id. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
}
