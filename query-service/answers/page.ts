import { z } from 'zod';

/** A page of a list, as every list answers it. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe('cursor of the page after it; null on the last'),
  });
