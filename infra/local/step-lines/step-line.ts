/** One line for a person: which step, what happened, and whether that is good news. */
export type StepLine = {
  readonly step: string;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad' | 'quiet';
  /** Lines to print below, as they are. */
  readonly more?: readonly string[];
};
