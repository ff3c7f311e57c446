// Requests to the admin API. The key is in this variable alone: no storage, no cookie, no URL.
let key = '';

/** Where the admin API is: two levels above this file. */
const root = new URL('../', import.meta.url);

let isForAll = true;

export const setKey = text => { [key, isForAll] = [text, true]; };
/** Whether the key may ask about all tenants together and about nodes. What a key for one tries is counted as a refusal of that tenant. */
export const seesAll = () => isForAll;
export const noteOne = () => { isForAll = false; };
export const headers = () => (key ? { 'X-Admin-API-Key': key } : {});
export const urlOf = (path, query = {}) => {
  const url = new URL(path, root);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, value);
  }
  return url;
};

/** What the API says is wrong: problem+json (RFC 9457). */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body?.detail ?? `The server answered ${status}.`);
    Object.assign(this, { status, retryAfter, errors: body?.errors ?? {}, purging: body?.purging });
  }
}

/** Whether a problem may be gone when the same is asked again later. */
export const mayPass = problem => problem.status === 0 || problem.status === 429 || problem.status >= 500;
/** In how many milliseconds to ask again. */
export const waitOf = problem => Math.max(5, Number(problem.retryAfter) || 0) * 1000;

let refused = () => {};
export const refuse = problem => refused(problem);
/** Says what to do when the key is not, or no longer, valid. */
export const whenRefused = action => { refused = action; };

export async function send(path, options) {
  if (/[^\t -~]/.test(key)) throw new Problem(0, { detail: 'A key has visible ASCII characters only.' });
  try {
    return await fetch(path, { cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer', ...options });
  } catch (error) {
    if (isCut(error)) throw error;
    throw new Problem(0, { detail: `The server could not be reached. What is shown may be old.${openOf(options.method)}` });
  }
}

const openOf = (method = 'GET') => (method === 'GET' ? '' : ' Whether it did what was asked is not known: look, or ask again.');

// Somebody does not wait any more, or the time is over.
const isCut = error => error.name === 'AbortError' || error.name === 'TimeoutError';

/** Asks the API, and gives what it answers; a refusal is thrown, and that it took more seconds than it may. */
export async function call(method, path, { signal, seconds = method === 'GET' ? 30 : 60, ...more } = {}) {
  const limit = AbortSignal.timeout(seconds * 1000);
  try {
    return await ask(method, path, { ...more, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (error.name !== 'TimeoutError') throw error;
    throw new Problem(0, { detail: `The server did not answer within ${seconds} seconds.${openOf(method)}` });
  }
}

async function ask(method, path, { query, body, signal, type = 'application/json', once }) {
  const response = await send(urlOf(path, query), {
    method,
    signal,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: {
      ...headers(),
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': type }),
      ...(once ? { 'Idempotency-Key': once } : {}),
    },
  });
  const { answer, isRead } = await read(response);
  if (!response.ok) {
    const problem = new Problem(response.status, answer, response.headers.get('Retry-After'));
    if (response.status === 401) refused(problem);
    throw problem;
  }

  // Half an answer is as none: it is asked for again.
  if (!isRead) throw new Problem(0, { detail: 'The answer of the server was cut.' });
  return answer;
}

async function read(response) {
  try {
    const text = await response.text();
    return { answer: text ? JSON.parse(text) : null, isRead: true };
  } catch (error) {
    if (isCut(error)) throw error;
    // It was cut, or is a proxy's own page: the status has to do.
    return { answer: null, isRead: false };
  }
}

/** What the server refused a request with. */
export const problemOf = async response =>
  new Problem(response.status, (await read(response)).answer, response.headers.get('Retry-After'));

export const get = (path, query, signal) => call('GET', path, { query, signal });
export const of = (id, rest = '') => `tenants/${encodeURIComponent(id)}${rest}`;

const newOnce = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');

/** Idempotency-Keys by what is sent. What is sent again because its answer was lost has the key that it had, so that it is done once. */
export function keepKeys() {
  const kept = new Map();
  return async (text, run) => {
    if (!kept.has(text)) kept.set(text, newOnce());
    const answer = await run(kept.get(text));
    kept.delete(text);
    return answer;
  };
}
