import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

/** What a feed tells of an event, and to whom: all who hold the key in that feed. */
export type Told = {
  readonly feed: string;
  /** Within the feed, such as a participant or the id of a task. */
  readonly key: string;
  /** What happened, in the words of the feed; null: nothing that is told, only keys change. */
  readonly event: string | null;
  readonly data: object;
  /** Keys that are limited to repositories hear of theirs only; null: of none. Left out: it was judged as the feed was opened. */
  readonly repository?: string | null;
  /** Not told to who did it. */
  readonly except?: string;
  /** From now on those who hold the key hold this one, too, or no more. */
  readonly add?: string;
  readonly remove?: string;
};

/** One kind of live news. To add one: a file beside this, and a line in `feeds.ts`. */
export type Feed = {
  /** The part of a feed's name before the colon. */
  readonly name: string;
  /** What stands behind the colon, which its schema's pattern tells whole; null: no colon. */
  readonly argument: { readonly noun: string; readonly schema: z.ZodType<string> } | null;
  /** The stream types whose events it tells. */
  readonly streams: readonly string[];
  /**
   * Which keys a subscription begins with.
   * @param argument as its schema gave it; without one: the empty string
   * @throws Problem where it does not exist for whoever asks
   */
  open(argument: string, caller: Principal): Promise<readonly string[]>;
  tell(event: RecordedEvent): readonly Told[];
};

/** One piece of news on its way: its text is made once for all who hear it. */
export type Frame = {
  /** As it was subscribed to, such as `task:<id>`. */
  readonly feed: string;
  readonly event: string;
  /** A position in the log; null: it cannot be asked for again. */
  readonly position: bigint | null;
  /** JSON. */
  readonly data: string;
};

/** @param name as it is subscribed to, such as `task:<id>` @throws Problem `invalid-request` */
export function findFeed(feeds: readonly Feed[], name: string): { readonly feed: Feed; readonly argument: string } {
  const [kind = '', ...rest] = name.split(':');
  const feed = feeds.find((each) => each.name === kind);
  const given = rest.length === 0 ? null : rest.join(':');
  const argument = feed === undefined ? undefined : argumentOf(feed, given);
  if (feed !== undefined && argument !== undefined) return { feed, argument };
  const message = `there is no feed ${name.slice(0, 200)}: use ${feedForms(feeds)}`;
  throw new Problem('invalid-request', message, { errors: [{ path: 'query.feeds', message }] });
}

const argumentOf = ({ argument }: Feed, given: string | null): string | undefined =>
  argument === null ? (given === null ? '' : undefined) : argument.schema.safeParse(given).data;

/** For people: how each feed is named. */
export const feedForms = (feeds: readonly Feed[]): string => feeds.map(formOf).join(', ');

const formOf = ({ name, argument }: Feed): string => (argument === null ? name : `${name}:<${argument.noun}>`);

/** The source of a pattern of one feed's name. */
export const feedPattern = (feeds: readonly Feed[]): string =>
  feeds.map(({ name, argument }) => (argument === null ? name : `${name}:${patternOf(argument.schema)}`)).join('|');

const patternOf = (schema: z.ZodType): string => `(?:${z.toJSONSchema(schema, { io: 'input' }).pattern?.slice(1, -1)})`;
