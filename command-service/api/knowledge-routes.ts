import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { z } from 'zod';
import { creation, intention, intentionFromPath, pathId } from './command-route.ts';

const ENTRIES = '/api/v1/knowledge';
const ENTRY = `${ENTRIES}/{id}`;
/** 65,536 characters, each of up to six bytes where JSON escapes it. */
const WORDY_BYTES = 512 * 1024;
const CHANGED_BY = 'Its author may, or an operator who may read it.';

/** The intentions that change what is known. */
export const knowledgeRoutes = (commands: Commands): Route[] => [
  creation(commands, {
    method: 'post',
    path: ENTRIES,
    type: 'knowledge.create',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Write down what others are to find',
    problems: ['unknown-repository'],
  }),
  intention(commands, {
    method: 'patch',
    path: ENTRY,
    type: 'knowledge.revise',
    maxBodyBytes: WORDY_BYTES,
    summary: 'Revise an entry: a new version',
    description: `Fields that are left out stay as they are; versions before stay readable. ${CHANGED_BY}`,
  }),
  intention(commands, {
    method: 'delete',
    path: ENTRY,
    type: 'knowledge.archive',
    summary: 'Archive an entry',
    description: `It is found no more, and stays readable by its id. ${CHANGED_BY}`,
  }),
  intention(commands, {
    method: 'post',
    path: `${ENTRY}/restore`,
    type: 'knowledge.restore',
    summary: 'Restore an entry',
    description: CHANGED_BY,
  }),
  intention(commands, {
    method: 'post',
    path: `${ENTRY}/share`,
    type: 'knowledge.share',
    summary: 'Change who may read an entry, all its versions included',
    description: CHANGED_BY,
  }),
  intention(commands, {
    method: 'post',
    path: `${ENTRY}/related`,
    type: 'knowledge.relate',
    summary: 'Relate an entry to another',
    description: CHANGED_BY,
    problems: ['unknown-reference', 'out-of-range'],
  }),
  intentionFromPath(commands, {
    method: 'delete',
    path: `${ENTRY}/related/{relatedId}`,
    type: 'knowledge.unrelate',
    summary: 'Relate an entry no more to another',
    description: CHANGED_BY,
    params: z.strictObject({ id: pathId, relatedId: pathId }),
    data: ({ relatedId }) => ({ relatedId }),
  }),
  intention(commands, {
    method: 'post',
    path: `${ENTRY}/used`,
    type: 'knowledge.use',
    summary: 'Tell that an entry was opened, or cited',
    description: 'Counted outside the log, and used in ranking. What was just counted shows at once.',
  }),
];
