// One tenant: how it is and why, what it does, who may call it, and what was done to it.
import { call, get, mayPass, of } from './api.js';
import { healthOver, limits, spent, traffic, usage } from './charts.js';
import { ask } from './dialogs.js';
import { busy, button, bytes, count, h, put, say, state, stateOf, time, tone, update, write } from './dom.js';
import { remove } from './list.js';
import { on } from './live.js';
import { paced } from './pace.js';
import { audit, clients, principals, refusals, secrets, sessions, tokens } from './parts.js';

const trafficAge = 60000;
const headPause = 2000;
const trafficPause = 5000;

export function showTenant(view, signal, id) {
  const head = h('div');
  const late = h('p', { class: 'note warn', role: 'alert', hidden: true });
  const day = h('section', { 'aria-labelledby': 'day' });
  const about = h('section', { 'aria-labelledby': 'about' });
  const used = h('section', { 'aria-labelledby': 'used' });
  const rest = h('div');
  put(view, h('p', null, h('a', { href: '#/' }, '← All tenants')), h('h1', null, id), late, head, rest);

  let tenant = null;
  const path = below => of(id, below);
  const parts = [principals, clients, sessions, tokens, refusals, audit].map(part => part({ id, path, signal, now: () => tenant }));
  const hidden = secrets({ path, signal, now: () => tenant, took: ask => inOrder(ask) });

  // Answers may come in another order than they were asked for: a recheck takes as long as the identity provider does. One that was asked
  // for before the one that is shown is not shown, and the tenant is asked for again.
  let [asked, shown] = [0, 0];
  async function inOrder(ask) {
    const mine = ++asked;
    const after = await ask();
    if (mine < shown) {
      load(true);
    } else {
      shown = mine;
      showHead(after);
    }
    return after;
  }

  // What may pass takes nothing from the page.
  const load = paced(async () => {
    try {
      await inOrder(() => get(path(''), {}, signal));
    } catch (problem) {
      if (problem.status === 404) showGone(problem);
      else if (problem.name !== 'AbortError') tellLate(mayPass(problem) ? `${problem.message} It is asked again.` : problem.message);
      return problem;
    }
  }, headPause, signal);

  function tellLate(text) {
    late.hidden = text === '';
    write(late, text);
  }

  function showHead(now) {
    const before = tenant;
    tenant = now;
    tellLate('');
    const is = stateOf(tenant);
    if (before && stateOf(before) !== is) sayState(tenant);
    update(head, h('div', { class: 'head' }, state(is), tenant.name !== id && h('span', null, tenant.name),
      h('span', { class: 'soft' }, 'last check ', time(tenant.lastCheckedAt))),
    tenant.reason && tenant.health !== 'healthy' && h('p', { class: `note ${tone(tenant)}`, id: 'reason' }, tenant.reason),
    is === 'suspended' && h('p', { class: 'note' }, 'To callers it looks like a tenant that does not exist, until it is resumed.'),
    h('div', { class: 'actions' }, actions()));
    update(about, h('h2', { id: 'about' }, 'Configuration'), configuration(tenant));
    hidden.load(true);
    if (before) return;
    put(rest, day, h('div', { class: 'grid' }, used, about), hidden.place, parts.map(part => part.place));
    [loadTraffic, loadUsage, ...parts.map(part => part.load)].forEach(one => one(true));
  }

  // What is asked for here is said also where the tenant is as it was, and once where an event tells the same.
  let said = null;
  function sayState(now) {
    said = stateOf(now);
    const why = now.reason && said !== 'healthy' && said !== 'suspended';
    say(why ? `${id} is ${said}: ${now.reason}` : `${id} is ${said}.`);
  }

  async function act(ask) {
    said = null;
    const after = await inOrder(ask);
    if (said !== stateOf(after) && tenant === after) sayState(after);
  }

  const actions = () => [
    button('Recheck', event => busy(event.currentTarget, () => act(() => call('POST', path('/recheck'), { signal }))),
      { 'data-k': 'recheck' }),
    tenant.status === 'suspended'
      ? button('Resume', event => busy(event.currentTarget, () => change('active')), { 'data-k': 'suspend' })
      : button('Suspend', () => ask({
        title: `Suspend ${id}?`, action: 'Suspend', run: () => change('suspended'),
        text: 'Its calls are refused at once and its streams end. Its data stays, and it can be resumed at any time.',
      }), { 'data-k': 'suspend' }),
    button('Unregister', () => ask({
      title: `Unregister ${id}?`, word: id, action: 'Unregister',
      text: 'It is taken out, and its sessions end. Its data stays, for a later tenant with this id that takes it over.',
      run: async () => {
        await call('POST', path('/unregister'));
        say(`${id} is unregistered. Its data is kept.`);
        location.hash = '#/';
      },
    }), { kind: 'bad', 'data-k': 'unregister' }),
    button('Delete', () => ask({
      title: `Delete ${id}?`, word: id, action: 'Delete it and all its data',
      text: 'It is gone at once, with its principals, clients, sessions and documents. Nothing brings them back.',
      run: () => { remove(id); },
    }), { kind: 'bad', 'data-k': 'delete' }),
  ];

  const change = status => act(() => call('PATCH', path(''), { body: { status }, type: 'application/merge-patch+json' }));

  const loadTraffic = paced(async () => {
    if (!tenant) return;
    try {
      const last = await get(path('/traffic'), {}, signal);
      if (!tenant) return;
      const taken = limits(last.limits);
      update(day, h('h2', { id: 'day' }, 'The last 24 hours'), h('div', { class: 'grid' },
        h('section', { 'aria-label': 'Traffic' }, traffic(last)),
        h('section', { 'aria-label': 'Health and limits' }, h('h3', null, 'Health'), healthOver(last, tenant.health, tenant.createdAt),
          spent(last), taken.length > 0 && [h('h3', null, 'Taken of the limits now'), taken])));
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      if (!day.querySelector('svg')) update(day, h('h2', { id: 'day' }, 'The last 24 hours'), h('p', { class: 'soft' }, problem.message));
      return problem;
    }
  }, trafficPause, signal);

  const loadUsage = paced(async () => {
    const from = new Date(Date.now() - 29 * 86400000).toISOString().slice(0, 10);
    const heading = h('h2', { id: 'used' }, 'Usage of 30 days');
    try {
      update(used, heading, usage(await get(path('/usage'), { from, to: new Date().toISOString().slice(0, 10) }, signal)));
    } catch (problem) {
      if (problem.name !== 'AbortError') update(used, heading, h('p', { class: 'error' }, problem.message));
      return problem;
    }
  }, trafficAge, signal);

  // The tenant is not there, or not any more.
  function showGone(problem) {
    tenant = null;
    shown = ++asked;
    tellLate('');
    put(rest);
    update(head, h('p', { class: 'note bad', role: 'alert' }, problem.message),
      problem.purging && h('p', null, `${problem.purging.deleted} records of its data are deleted so far.`));
    if (problem.purging) load();
  }

  on((event, data) => {
    if (event === 'reset' || (event === 'begin' && !data.resumed && tenant)) {
      load();
      if (tenant) parts.forEach(part => part.load());
      return;
    }
    if (event === 'refusals') {
      const own = data.refusals.filter(one => one.tenant === id);
      if (own.length > 0) parts.forEach(part => part.refused?.(own));
      return;
    }
    if (data.tenant !== id) return;
    if (event === 'change') parts.filter(part => part.after(data.action)).forEach(part => part.load());
    load();
    loadTraffic();
  }, signal);
  const again = setInterval(() => {
    loadTraffic();
    loadUsage();
  }, trafficAge);
  signal.addEventListener('abort', () => clearInterval(again));
  load(true);
}

// Objects are shown by their paths; what is not set is left out.
function configuration(tenant) {
  const left = new Set(['createdAt', 'version', 'health', 'reason', 'lastCheckedAt', 'settings', 'secrets', 'name', 'id', 'status']);
  const rows = [];
  const walk = (value, path) => {
    if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return;
    if (typeof value === 'object' && !Array.isArray(value)) Object.entries(value).forEach(([name, one]) => walk(one, `${path}.${name}`));
    else if (typeof value === 'number') rows.push([path, (/Bytes|Size$/.test(path) ? bytes : count)(value)]);
    else rows.push([path, Array.isArray(value) ? value.join('\n') : String(value)]);
  };
  Object.entries(tenant).filter(([name]) => !left.has(name)).forEach(([name, value]) => walk(value, name));
  return [
    h('dl', null, rows.map(([path, text]) => [h('dt', null, path), h('dd', { class: 'lines' }, text)]),
      h('dt', null, 'registered'), h('dd', null, time(tenant.createdAt)), h('dt', null, 'version'), h('dd', null, String(tenant.version))),
    tenant.settings && h('details', null, h('summary', null, 'Settings of its platform'),
      h('pre', { class: 'mono' }, JSON.stringify(tenant.settings, null, 2))),
  ];
}
