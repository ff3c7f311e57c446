// The lists of a tenant. Each has its place, loads itself, and says after which changes it is to be loaded again.
import { call, get, keepKeys, mayPass } from './api.js';
import { ask, showTokens } from './dialogs.js';
import { busy, button, count, counted, h, pages, put, say, sayPage, table, time, update, write } from './dom.js';
import { paced } from './pace.js';

const shown = 20;
const reloadPause = 2000;
const [writtenPause, writtenWithin] = [15000, 120000];
const mostSessions = 1000;
const fewChanges = 5;
let named = 0;

// Which of all a page of a list shows.
const captionOf = (some, all, first, one) => (all > some
  ? `${counted(all, one)}, ${count(first + 1)} to ${count(first + some)}` : counted(all, one));
const onPage = page => (page > 1 ? `, page ${count(page)}` : '');

// A part has a heading, a list that is loaded anew, and a form that stays as it is meanwhile. What may pass leaves the list as it was.
// Where a load gives a list by pages, it is asked for the page that is shown, and says how many that has and the cursor of the next one.
function part({ title, form, load, after, refused, signal }) {
  const id = `part-${++named}`;
  const list = h('div');
  let [cursors, isTurned] = [[], false];
  const error = h('p', { class: 'error' });
  const place = h('section', { 'aria-labelledby': id }, h('div', { class: 'head' }, h('h2', { id }, title)), list, error, form);
  const turn = to => {
    [cursors, isTurned] = [to, true];
    reload(true);
  };
  const reload = paced(async () => {
    const mine = cursors;
    try {
      const { content, some, next } = await load(mine.at(-1), mine.length * shown);

      // Somebody has turned the page meanwhile: that one is loaded next.
      if (mine !== cursors) return;
      if (some === 0 && mine.length > 0) {
        turn(mine.slice(0, -1));
        return;
      }
      update(list, content, pages(`Pages of: ${title}`, mine, next, turn));
      write(error, '');
      if (isTurned) sayPage(list);
      isTurned = false;
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      write(error, problem.message);
      if (!mayPass(problem)) {
        cursors = [];
        put(list);
      }
      return problem;
    }
  }, reloadPause, signal);
  return {
    place,
    after: action => after.some(beginning => action.startsWith(beginning)),
    refused,
    load: reload,
  };
}

function field(label, hint, more = {}) {
  const id = `input-${++named}`;
  const input = h('input', { id, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': `${id}-hint`, ...more });
  const said = h('p', { class: 'hint', id: `${id}-hint` }, hint);
  return { input, place: h('div', { class: 'field' }, h('label', { for: id }, label), input, said) };
}

// A form of a few fields and one button. What is wrong stands below it.
function smallForm(title, fields, action, run) {
  const error = h('p', { class: 'error', role: 'alert' });
  const go = h('button', { type: 'submit', class: 'plain' }, action);
  const submit = event => {
    event.preventDefault();
    error.textContent = '';
    busy(go, async () => {
      try {
        await run();
        fields.forEach(one => { one.input.value = ''; });
      } catch (problem) {
        error.textContent = Object.entries(problem.errors ?? {}).flatMap(([name, texts]) => texts.map(text => `${name} ${text}`)).join('\n')
          || problem.message;
      }
    });
  };
  return h('details', null, h('summary', null, title),
    h('form', { submit }, h('div', { class: 'line' }, fields.map(one => one.place)), error, h('div', { class: 'actions' }, go)));
}

export function principals({ path, signal, id, now }) {
  const once = keepKeys();
  const name = field('Name', 'Who it is, for people.', { maxlength: 200 });
  const scopes = field('Scopes', 'What it may do: words with spaces between them, or nothing.');
  const self = part({
    title: 'Principals',
    signal,
    after: ['principal.'],
    form: smallForm('Issue a principal', [name, scopes], 'Issue', async () => {
      const body = { name: name.input.value.trim(), scopes: scopes.input.value.split(/\s+/).filter(Boolean) };
      const made = await once(JSON.stringify(body), key => call('POST', path('/principals'), { once: key, body }));
      self.load(true);
      await showTokens('The principal is there', [made]);
    }),
    // The API gives all that a tenant may have, which are 1,000.
    async load(cursor, first) {
      const { principals: all } = await get(path('/principals'), {}, signal);
      const some = all.slice(first, first + shown);
      const content = [now()?.authentication?.kind !== 'bearer' && all.length > 0
        && h('p', { class: 'soft' }, 'Their tokens open nothing as long as the tenant’s authentication is another than bearer.'),
      table(captionOf(some.length, all.length, first, 'principal'), ['Name', 'Id', 'Scopes', 'Issued', 'Until', ''], some.map(one => [
        one.name, h('code', null, one.id), one.scopes.join(' '), time(one.createdAt), one.expiresAt ? time(one.expiresAt) : '', [
          button('Rotate', () => rotate(one), { 'aria-label': `Rotate the token of ${one.name}`, 'data-k': `rotate-${one.id}` }),
          button('Revoke', () => revoke(one), {
            kind: 'bad', 'aria-label': `Revoke ${one.name}`, 'data-k': `revoke-${one.id}`,
          })]]), { empty: 'No principals.', keys: some.map(one => one.id) })];
      return { content, some: some.length, next: all.length > first + shown && 'more' };
    },
  });

  // What was opened and asked for is done by the dialog; the new token has one of its own.
  const rotate = async one => {
    let made = null;
    const done = await ask({
      title: `Rotate the token of ${one.name}?`, action: 'Rotate', kind: 'main',
      text: 'It gets a new one. The old one stays good for an hour, so that the caller can change to it.',
      run: async () => {
        made = await once(one.id, key =>
          call('POST', path(`/principals/${encodeURIComponent(one.id)}/rotate`), { query: { overlap: 3600 }, once: key }));
      },
    });
    self.load(true);
    if (done) await showTokens('The new token', [made]);
  };
  const revoke = one => ask({
    title: `Revoke ${one.name}?`, action: 'Revoke', text: `All its tokens end at once: whoever calls ${id} with one is refused.`,
    run: async () => {
      await call('DELETE', path(`/principals/${encodeURIComponent(one.id)}`));
      say(`${one.name} is revoked.`);
      self.load(true);
    },
  });
  return self;
}

/** The names of a tenant's secrets, which come with the tenant itself. What it is after a change is given to took. */
export function secrets({ path, signal, now, took }) {
  const name = field('Name', 'Letters (a to z), digits, hyphens and underscores. One that is there gets another value.',
    { maxlength: 100, required: true });
  const value = field('Value', 'It is written, and never shown again.', { type: 'password', required: true });
  const patch = (key, text) => took(() => call('PATCH', path(''), {
    body: { secrets: { [key]: text } }, type: 'application/merge-patch+json',
  }));
  const self = part({
    title: 'Secrets',
    signal,
    after: [],
    form: smallForm('Set a secret', [name, value], 'Set', async () => {
      await patch(name.input.value.trim(), value.input.value);
      say(`The secret ${name.input.value.trim()} is set.`);
    }),
    async load() {
      const all = Object.entries(now()?.secrets ?? {});
      return { content: table('What its platform needs and nobody may read', ['Name', 'Value', ''], all.map(
        ([key, text]) => [key, h('span', { class: 'soft' }, text), key.startsWith('(') ? '' : button('Take out', () => ask({
          title: `Take the secret ${key} out?`, action: 'Take out', text: 'Its platform has to do without it. Its value is gone.',
          run: () => patch(key, null),
        }), { kind: 'bad', 'aria-label': `Take the secret ${key} out`, 'data-k': `secret-${key}` })]),
      { empty: 'No secrets.', keys: all.map(([key]) => key) }) };
    },
  });
  return self;
}

export function clients({ path, signal }) {
  const once = keepKeys();
  const client = field('Client id', 'Exactly as tokens have it; an https URL is that of its metadata document.');
  const name = field('Name', 'What people see.');
  const act = (text, one, run) => button(text, event => busy(event.currentTarget, async () => {
    await run();
    self.load(true);
  }), { 'aria-label': `${text} ${one.name ?? one.clientId}`, 'data-k': `refresh-${one.handle}` });
  const self = part({
    title: 'OAuth clients',
    signal,
    after: ['client.'],
    form: smallForm('List a client', [client, name], 'List it', async () => {
      const body = { clientId: client.input.value.trim(), name: name.input.value.trim() || undefined };
      await once(JSON.stringify(body), key => call('POST', path('/clients'), { once: key, body }));
      self.load(true);
    }),
    async load(cursor, first) {
      const { clients: some, count: all, nextCursor: next } = await get(path('/clients'), { take: shown, cursor }, signal);
      const below = one => path(`/clients/${encodeURIComponent(one.handle)}`);
      const content = table(captionOf(some.length, all, first, 'client'),
        ['Client', 'Name', 'Listed', 'Ends unused', ''], some.map(one => [one.clientId, one.name ?? '', time(one.createdAt),
          new Date(one.expiresAt).toLocaleDateString('en-GB'), [
            act('Refresh', one, () => call('POST', `${below(one)}/refresh`)),
            button('Take out', () => ask({
              title: `Take ${one.name ?? one.clientId} out?`, action: 'Take out',
              text: 'Where the tenant takes listed clients only, its tokens are refused from now on.',
              run: async () => { await call('DELETE', below(one)); self.load(true); },
            }), { kind: 'bad', 'aria-label': `Take out ${one.name ?? one.clientId}`, 'data-k': `take-${one.handle}` })]]),
        { empty: 'No listed clients.', keys: some.map(one => one.handle) });
      return { content, some: some.length, next };
    },
  });
  return self;
}

export function sessions({ path, signal }) {
  const self = part({
    title: 'MCP sessions',
    signal,
    after: ['session.'],
    // In the order of their last use, which goes on: a cursor of a page that stands here for a while would name a place that has passed.
    async load(cursor, first) {
      const { sessions: found, count: all, nextCursor: more } = await get(path('/sessions'), {
        take: Math.min(mostSessions, first + shown),
      }, signal);
      const some = found.slice(first, first + shown);
      const next = more && first + shown < mostSessions && 'more';
      const content = table(`${captionOf(some.length, all, first, 'session')}, those used last first`,
        ['Caller', 'Session', 'Begun', ''], some.map(one => [one.caller, h('code', null, one.handle.slice(0, 12)), time(one.begunAt),
          button('End', () => ask({
            title: 'End the session?', action: 'End it', text: `Its stream and the calls that ${one.caller} has in it end, too.`,
            run: async () => { await call('DELETE', path(`/sessions/${encodeURIComponent(one.handle)}`)); self.load(true); },
          }), { kind: 'bad', 'aria-label': `End the session of ${one.caller}`, 'data-k': `end-${one.handle}` })]),
      { empty: 'No sessions.', keys: some.map(one => one.handle) });
      return { content, some: some.length, next };
    },
  });
  return self;
}

export function tokens({ path, signal }) {
  const token = field('Token', 'It is not kept, not logged, and counts nowhere.', { type: 'password' });
  const answer = h('div', { role: 'status' });
  const self = part({
    title: 'Refused tokens',
    signal,
    after: [],
    form: [smallForm('Explain a token', [token], 'Explain', async () => {
      const told = await call('POST', path('/explain-token'), { body: { token: token.input.value.trim() } });
      put(answer, h('p', { class: `note ${told.accepted ? '' : 'bad'}` },
        h('b', null, told.accepted ? 'Accepted. ' : 'Refused. '), told.reason,
        told.caller && ` Caller: ${told.caller}.`, told.client && ` Client: ${told.client}.`,
        told.scopes?.length > 0 && ` Scopes: ${told.scopes.join(' ')}.`));
    }), answer],
    async load() {
      const { refusedTokens: all } = await get(path('/refused-tokens'), {}, signal);
      return { content: table('Why tokens were refused at the server that answers here, the latest first',
        ['Cause', 'The last one', ['Times', 'number'], 'Last'], all.map(one => [one.cause, one.reason, count(one.count), time(one.lastAt)]),
        { empty: 'None since this server started.', keys: all.map(one => one.cause) }) };
    },
    refused: some => { if (some.some(one => one.status === 401 || one.status === 403)) self.load(); },
  });
  return self;
}

export function refusals({ path, signal }) {
  const now = new Map();
  const live = h('p', { class: 'soft' });

  // The API has those of a minute when it is over, and those of other nodes a little later.
  let [timer, until] = [null, 0];
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      self.load();
      if (Date.now() < until) again();
    }, writtenPause);
  };
  signal.addEventListener('abort', () => clearTimeout(timer));

  // Who listens is told of each reason once, and not of each count.
  const heard = h('p', { class: 'heard', role: 'status' });
  const self = part({
    title: 'Refused requests',
    signal,
    after: [],
    form: [live, heard],
    async load(cursor, first) {
      const { refusals: some, nextCursor: next } = await get(path('/refusals'), { take: shown, cursor }, signal);
      const content = table(`By minute and reason, the latest first${onPage(first / shown + 1)}`,
        ['Minute', 'Reason', ['Status', 'number'], ['Times', 'number'], 'First address'],
        some.map(one => [time(one.minute), one.reason, String(one.status), count(one.count), one.firstAddress ?? '']),
        { empty: now.size > 0 ? 'Those of this minute are listed when it is over.' : 'None that is known.' });
      return { content, some: some.length, next };
    },
    refused: some => {
      until = Date.now() + writtenWithin;
      some.forEach(one => now.set(one.reason, (now.get(one.reason) ?? 0) + one.count));
      write(live, `Since this page was opened: ${[...now].map(([reason, number]) => `${count(number)} ${reason}`).join(', ')}.`);
      self.load();
      again();
      write(heard, `Refused since this page was opened: ${[...now.keys()].join(', ')}.`);
    },
  });
  return self;
}

export function audit({ path, signal }) {
  const text = value => (value === null || value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value));
  const all = entry => (entry.changes ?? []).map(one =>
    h('div', null, h('code', null, one.field), ` ${text(one.before)} → ${text(one.after)}`));
  const changes = entry => (entry.changes?.length > fewChanges
    ? h('details', null, h('summary', null, counted(entry.changes.length, 'field')), all(entry)) : all(entry));
  return part({
    title: 'Audit',
    signal,
    after: [''],
    async load(cursor, first) {
      const { entries: some, nextCursor: next } = await get(path('/audit'), { take: shown, cursor }, signal);
      const content = table(`What was done, the latest first${onPage(first / shown + 1)}`, ['When', 'What', 'By', 'To', 'Changes'],
        some.map(entry => [time(entry.at), entry.action, [entry.caller, entry.key && h('span', { class: 'soft' }, ` ${entry.key}`)],
          entry.subject ?? '', [entry.reason && h('div', null, entry.reason), changes(entry)]]),
        { empty: 'Nothing.', keys: some.map(entry => entry.id) });
      return { content, some: some.length, next };
    },
  });
}
