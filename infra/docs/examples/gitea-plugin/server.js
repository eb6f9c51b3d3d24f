/** What the plugin asks of Gitea's API: https://docs.gitea.com/api */

const PAGE = 50;
/** Work is offered near its end: its pull request is among the newest. */
const MOST_PAGES = 20;
const TITLE_LENGTH = 250;
/** It says no, and would say so again: no right to it, no such branch, nothing to merge, an archive. */
const REFUSED = [403, 404, 409, 422, 423];

/** The one comment of a task at its issue: found by its mark, so that the same again, and what comes late, change nothing. */
export async function comment({ taskId, reference, revision, text }, { send }, headers) {
  const [, place, number] = /^([^#]+)#(\d+)$/.exec(reference) ?? [];
  if (place === undefined) throw new Error(`${reference} is no issue of Gitea`);
  const ask = asking(send, headers);
  const issues = `${repositoryAt(place)}/issues`;
  const mark = new RegExp(`<!-- workledger ${taskId}(?: (\\d+))? -->`);
  // All of them: an issue's comments have no pages.
  const { said: comments } = await ask('GET', `${issues}/${number}/comments`);
  const known = comments.find(({ body }) => mark.test(body));
  const body = `${text}\n\n<!-- workledger ${taskId} ${revision} -->`;
  const isNews = known === undefined || Number(mark.exec(known.body)[1] ?? -1) <= revision;
  if (!isNews || known?.body === body) return { id: known.id, changed: false };
  const { said } = known
    ? await ask('PATCH', `${issues}/comments/${known.id}`, { body: { body } })
    : await ask('POST', `${issues}/${number}/comments`, { body: { body }, takes: [201] });
  return { id: said.id, changed: true };
}

/**
 * The pull request of a task's branch, opened or closed. A run of the task has one: what people closed or merged is not opened again.
 * `url` null: there is none; `why` says what Gitea has against one.
 */
export async function pullRequest({ wanted, ...asked }, { send }, headers) {
  const ask = asking(send, headers);
  const pulls = `${repositoryAt(asked.place)}/pulls`;
  const {
    number = null,
    html_url: url = null,
    why = null,
  } = wanted === 'open' ? await offer(pulls, asked, ask) : await withdraw(pulls, asked, ask);
  return { number, url, why };
}

async function offer(pulls, asked, ask) {
  const { branch: head, base, title, text } = asked;
  const mark = markOf(asked);
  const ofBranch = await pullsOf(`${pulls}?state=all`, asked, ask, ({ body }) => body.includes(mark));
  const known = ofBranch.find(({ body }) => body.includes(mark)) ?? ofBranch.find((pull) => isOpen(pull, base));
  if (known !== undefined) return known;
  const wanted = { title: [...title].slice(0, TITLE_LENGTH).join(''), head, base, body: `${text}\n\n${mark}` };
  const { status, said } = await ask('POST', pulls, { body: wanted, takes: [201, ...REFUSED] });
  if (status === 201) return said;
  // What was there all along, or was made at the same moment, is named by its number.
  const [, number] = (status === 409 && /\bissue_id: (\d+)/.exec(said?.message)) || [];
  const there = number === undefined ? undefined : (await ask('GET', `${pulls}/${number}`)).said;
  return there?.head.ref === head ? there : { why: said?.message ?? `Gitea answers ${status}` };
}

async function withdraw(pulls, asked, ask) {
  const open = await pullsOf(`${pulls}?state=open`, asked, ask, isOfTask(asked));
  const known = open.find(isOfTask(asked));
  if (known === undefined) return {};
  const body = { state: 'closed', body: `${asked.text}\n\n${known.body}` };
  // Merged at the same moment (412): that is theirs.
  await ask('PATCH', `${pulls}/${known.number}`, { body, takes: [201, 412] });
  return known;
}

const markOf = ({ taskId, run }) => `<!-- workledger ${taskId} ${run} -->`;
const isOfTask =
  ({ taskId }) =>
  ({ body }) =>
    body.includes(`<!-- workledger ${taskId} `);
const isOpen = ({ state, base }, branch) => state === 'open' && base.ref === branch;

/** Those of the branch, the newest first, until one is it. */
async function pullsOf(path, { branch, place }, ask, isIt) {
  const found = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { said, hasMore } = await ask('GET', `${path}&page=${page}&limit=${PAGE}`);
    found.push(
      ...said.filter(({ head }) => head.ref === branch && head.repo?.full_name.toLowerCase() === place.toLowerCase()),
    );
    if (!hasMore || found.some(isIt)) break;
  }
  return found;
}

const repositoryAt = (place) => `/repos/${place.split('/').map(encodeURIComponent).join('/')}`;

/** Asks Gitea, and throws what it answers otherwise than is taken. */
const asking =
  (send, headers) =>
  async (method, path, { body, takes = [200] } = {}) => {
    const answer = await send('server', { method, path, headers, ...(body && { body }) });
    const said = jsonOf(answer.body);
    const { status } = answer;
    if (takes.includes(status)) return { status, said, hasMore: /rel="next"/.test(answer.headers.link ?? '') };
    throw new Error(`Gitea answers ${status} to ${method} ${path.split('?')[0]}: ${said?.message ?? '(no words)'}`);
  };

function jsonOf(bytes) {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}
