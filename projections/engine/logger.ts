/** What the engine tells its operator. pino fits. */
export type EngineLogger = {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
};
