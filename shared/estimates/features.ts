/** What a task says of itself. */
export type Described = {
  readonly title: string;
  readonly description: string;
  readonly labels: readonly string[];
};

export const taskTypes = ['bug', 'feature', 'refactor', 'docs', 'test', 'performance', 'security', 'chore'] as const;
export type TaskType = (typeof taskTypes)[number] | 'other';

export type Features = {
  readonly type: TaskType;
  /** By the name of a signal, in the order of `signals`. */
  readonly numbers: readonly number[];
  /** What it has in common with others, and how much that counts: words, files, labels, its type. */
  readonly marks: ReadonlyMap<string, number>;
};

/** Characters of a description that are read: what decides stands at the beginning. */
const READ = 8_000;
const MOST_WORDS = 80;

/** What somebody says who knows: names of labels. */
const SIMPLE =
  /^(?:good first issue|typo|docs|documentation|trivial|simple|easy|chore|size[/:]\s?x?s|complexity[/:]\s?low)$/i;
const HARD =
  /^(?:complex|hard|epic|architecture|refactor(?:ing)?|security|migration|performance|breaking(?: change)?|size[/:]\s?x{0,2}l|complexity[/:]\s?high)$/i;
const HARD_WORDS =
  /\b(?:refactor|rewrite|redesign|migrat(?:e|ion)|architecture|concurren(?:t|cy)|race condition|deadlock|performance|security|across (?:all|the)|everywhere|protocol)/gi;
const SIMPLE_WORDS = /\b(?:typo|rename|wording|comment|readme|changelog|off by one|log message|default value)\b/i;
const PARTS = /^[ \t]{0,20}(?:[-*+]|\d{1,3}[.)])[ \t]{1,4}\S/gm;
const CLAUSES = /[,;:]\s|\band\b/gi;

const TYPES: readonly (readonly [TaskType, RegExp])[] = [
  ['security', /\b(?:security|vulnerabilit|cve-|xss|csrf|injection)/i],
  ['bug', /\b(?:bug|fix(?:es|ed)?|broken|crash(?:es)?|regression|error|fails?|wrong)\b/i],
  ['docs', /\b(?:docs?|documentation|readme|changelog|typo|guide)\b/i],
  ['test', /\b(?:tests?|coverage|flaky)\b/i],
  ['performance', /\b(?:performance|slow|faster|latency|memory|perf)\b/i],
  ['refactor', /\b(?:refactor(?:ing)?|rewrite|clean ?up|rename|simplify|extract)\b/i],
  ['feature', /\b(?:features?|add(?:s|ed)?|enhancement|support|implement|new|allow)\b/i],
  ['chore', /\b(?:chore|bump|upgrade|dependenc(?:y|ies)|deps|ci|build)\b/i],
];

/** What kind of work it is: by its labels, else by its title. */
export function taskTypeOf({ title, labels }: Pick<Described, 'title' | 'labels'>): TaskType {
  for (const text of [labels.join(' '), title])
    for (const [type, pattern] of TYPES) if (pattern.test(text)) return type;
  return 'other';
}

/** Each is about 0 to 4; `points` is what one of it adds to the estimate before anything was learned. */
export const signals: readonly { readonly name: string; readonly points: number }[] = [
  { name: 'a long description', points: 7 },
  { name: 'a title of many words', points: 2 },
  { name: 'several things in its title', points: 3 },
  { name: 'a list of parts', points: 6 },
  { name: 'files it names', points: 10 },
  { name: 'words of hard work', points: 20 },
  { name: 'words of small work', points: -14 },
  { name: 'a label of hard work', points: 65 },
  { name: 'a label of small work', points: -60 },
];
/** Of a task that says next to nothing. */
export const NOTHING_SAID = 16;

const few = (count: number): number => Math.log2(1 + count);

export function featuresOf(task: Described): Features {
  const description = task.description.slice(0, READ);
  const words = `${task.title}\n${description}`;
  const heavy = new Set((words.match(HARD_WORDS) ?? []).map((word) => word.toLowerCase())).size;
  const files = filesOf(words);
  const is = (yes: boolean): number => (yes ? 1 : 0);
  return {
    type: taskTypeOf(task),
    numbers: [
      few(task.description.length / 100),
      few(task.title.length / 20),
      few(task.title.match(CLAUSES)?.length ?? 0),
      few(description.match(PARTS)?.length ?? 0),
      few(files.length),
      Math.min(3, heavy),
      is(SIMPLE_WORDS.test(words)),
      is(task.labels.some((label) => HARD.test(label))),
      is(task.labels.some((label) => SIMPLE.test(label))),
    ],
    marks: marksOf(task, description, files),
  };
}

function marksOf(task: Described, description: string, files: readonly string[]): Map<string, number> {
  const marks = new Map<string, number>();
  const put = (mark: string, weight: number): void => void marks.set(mark, Math.max(weight, marks.get(mark) ?? 0));
  put(`type:${taskTypeOf(task)}`, 1);
  const area = /^([\w./ -]{1,40}):\s/.exec(task.title)?.[1];
  if (area !== undefined) put(`area:${area.toLowerCase()}`, 2);
  for (const label of task.labels) put(`label:${label.toLowerCase()}`, 2);
  for (const file of files) put(`file:${file}`, 3);
  for (const word of wordsOf(task.title)) put(word, 1);
  for (const word of wordsOf(description)) put(word, 0.4);
  return marks;
}

/** Names of files, in the order of their naming. */
function filesOf(text: string): string[] {
  const words = (text.match(/[\w./-]+/g) ?? []).map((word) => (word.endsWith('.') ? word.slice(0, -1) : word));
  const names = words.filter((word) => {
    const dot = word.lastIndexOf('.');
    const end = word.length - dot - 1;
    return (
      dot > 0 && end > 0 && end <= 5 && /^[a-z]\w*$/i.test(word.slice(dot + 1)) && /[a-z]{2}/i.test(word.slice(0, dot))
    );
  });
  return [...new Set(names)].slice(0, 50);
}

/** Words without their endings, as far as English has them. */
function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]{3,40}/gu)) {
    words.add(word.replace(/(?<=.{3})(?:ings?|ies|es|ed|s)$/, ''));
    if (words.size >= MOST_WORDS) break;
  }
  return words;
}
