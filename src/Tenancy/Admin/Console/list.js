// All tenants. What is broken stands first. No request grows with the number of tenants.
import { call, get, mayPass, noteOne, of, seesAll } from './api.js';
import { busy, button, byId, count, counted, h, pages, put, say, sayPage, state, stateOf, time, tone, update, write } from './dom.js';
import { on } from './live.js';
import { paced } from './pace.js';
import { spark } from './spark.js';

const pageSize = 25;
const brokenShown = 20;
const trafficAge = 60000;
const reloadPause = 5000;
const fewMoved = 3;

const filters = {
  '': ['All', {}],
  broken: ['Broken', { health: 'broken' }],
  disabled: ['Disabled', { health: 'disabled', status: 'active' }],
  unverified: ['Unverified', { health: 'unverified', status: 'active' }],
  pending: ['Pending', { health: 'pending', status: 'active' }],
  healthy: ['Healthy', { health: 'healthy', status: 'active' }],
  suspended: ['Suspended', { status: 'suspended' }],
};

// What somebody looked for is there again when they come back from a tenant.
const wanted = { text: '', state: '', platform: '', cursors: [] };
const traffic = new Map();
export const platforms = new Set();

/** The deletions that were asked for here. Each is one request, which lasts until all data is gone. */
const deleting = new Set();
let look = () => {};
export function forget() {
  Object.assign(wanted, { text: '', state: '', platform: '', cursors: [] });
  traffic.clear();
  platforms.clear();
  deleting.clear();
}

export async function remove(id) {
  deleting.add(id);
  location.hash = '#/';
  try {
    await call('DELETE', of(id), { seconds: 600 });
    say(`${id} is deleted, with all its data.`);
  } catch (problem) {
    say(`${id}: ${problem.message}`);
  } finally {
    deleting.delete(id);
    look();
  }
}

export function showList(view, signal) {
  const summary = h('ul', { class: 'counts', 'aria-label': 'Tenants by state' });
  const attention = h('section', { 'aria-labelledby': 'broken', class: 'broken', hidden: true });
  const going = h('section', { 'aria-labelledby': 'going', hidden: true });
  const rows = h('div');
  const found = h('span', { class: 'soft', role: 'status' });
  const text = h('input', { id: 'text', type: 'search', placeholder: 'Id, name or URL', 'aria-label': 'Id, name or URL', maxlength: 200 });
  const select = h('select', { 'aria-label': 'State' }, Object.entries(filters).map(([value, [name]]) => h('option', { value }, name)));
  const platform = h('input', { list: 'platforms', placeholder: 'Platform', 'aria-label': 'Platform' });
  const error = h('p', { class: 'error', role: 'alert' });
  [text.value, select.value, platform.value] = [wanted.text, wanted.state, wanted.platform];
  put(view, h('h1', null, 'All tenants'), summary, going, attention,
    h('section', { 'aria-label': 'Tenants' },
      h('form', { class: 'filter', role: 'search', submit: event => { event.preventDefault(); apply(); } }, text, select, platform,
        h('datalist', { id: 'platforms' }), found),
      error, rows));

  let asked = 0;
  let isTurned = false;
  let isSearching = false;
  let pieces = 1;
  let typing = 0;
  const apply = () => {
    Object.assign(wanted, { text: text.value.trim(), state: select.value, platform: platform.value.trim(), cursors: [] });
    turn();
  };
  text.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(apply, 250); });
  select.addEventListener('change', apply);
  platform.addEventListener('change', apply);
  const choose = name => { select.value = name; apply(); text.scrollIntoView({ block: 'center' }); };

  // For a text the server looks through some tenants in each request: others follow, until the page is full or all were looked at.
  async function fetchRows({ state: name, text: part, platform: kind, cursors }, isWanted) {
    const query = { ...filters[name][1], text: part, platform: kind };
    const list = { tenants: [], nextCursor: cursors.at(-1) };
    pieces = 0;
    do {
      pieces++;
      const { tenants, ...rest } = await get('tenants', {
        ...query, take: pageSize - list.tenants.length, cursor: list.nextCursor,
      }, signal);
      if (!isWanted()) return null;
      list.tenants.push(...tenants);
      Object.assign(list, rest);
      if (list.nextCursor && list.count === null) write(found, `Searching: ${counted(list.tenants.length, 'tenant')} so far`);
    } while (list.nextCursor && list.tenants.length < pageSize);
    list.count ??= list.nextCursor ? null : cursors.length * pageSize + list.tenants.length;
    return list;
  }

  // What is asked for now is taken as it is: somebody may go on typing or turn the page before the answer is there.
  async function loadRows() {
    const [mine, place] = [++asked, { ...wanted }];
    isSearching = true;
    try {
      const list = await fetchRows(place, () => mine === asked);
      if (!list) return;
      write(error, '');
      if (list.tenants.length === 0 && place.cursors.length > 0) {
        // They are gone, or in another state, since the page before was shown.
        turnTo(place.cursors.slice(0, -1));
        return;
      }
      showRows(list, place);
    } catch (problem) {
      if (problem.name === 'AbortError' || mine !== asked) return problem;
      write(error, problem.errors?.platform?.[0] ?? problem.message);
      if (!mayPass(problem)) [rows, found].forEach(shown => put(shown));
      return problem;
    } finally {
      if (mine === asked) isSearching = false;
    }
  }

  // A search that somebody waits for is not kept waiting by one that nobody waits for any more.
  const turn = () => loadRows().then(problem => { if (problem && mayPass(problem)) reload(); });
  const turnTo = cursors => {
    wanted.cursors = cursors;
    isTurned = true;
    turn();
  };

  function showRows(list, { cursors, ...filter }) {
    const first = cursors.length * pageSize;
    const last = first + list.tenants.length;
    const ofAll = list.count === null ? '' : ` of ${count(list.count)}`;
    write(found, list.count === null ? `More than ${counted(last, 'tenant')}` : counted(list.count, 'tenant'));
    list.tenants.forEach(tenant => platforms.add(tenant.platform));
    update(byId('platforms'), [...platforms].map(value => h('option', { value })));
    const isFresh = freshOf(list.tenants, 'all');
    update(rows, list.tenants.length === 0
      ? h('p', { class: 'note' }, filter.text + filter.state + filter.platform || !seesAll() ? 'No tenant fits.' : [
        'There are no tenants yet. ', h('a', { href: '#/new' }, 'Make the first one'), '.'])
      : tableOf(`Tenants ${count(first + 1)} to ${count(last)}${ofAll}, by id`, list.tenants, false, isFresh),
    pages('Pages of the list', cursors, list.nextCursor, turnTo));
    if (isTurned) sayPage(rows);
    isTurned = false;
    const shown = asked;
    loadTraffic(list.tenants, () => shown === asked);
  }

  // Data of deleted tenants takes its time: as long as there is some, this looks again.
  function showGoing(purging) {
    const all = [...purging, ...[...deleting].filter(id => !purging.some(one => one.id === id)).map(id => ({ id }))];
    going.hidden = all.length === 0;
    update(going, all.length > 0 && h('h2', { id: 'going' }, 'Being deleted'), all.map(({ id, deleted }) => h('div', {
      class: 'note', 'data-row': id,
    }, h('b', null, id), deleted === undefined ? ': its deletion was asked for.'
        : ` is gone. ${counted(deleted, 'record')} of its data deleted so far; until that is done nobody can have the id.`,
      h('progress', { 'aria-label': `Deletion of ${id}` }))));
    if (all.length > 0) loadGoing();
  }

  // It is asked of the store, for which nobody waits who looks at the tenants.
  const loadGoing = paced(async () => {
    try {
      showGoing((await get('deletions', {}, signal)).deletions);
    } catch (problem) {
      return problem;
    }
  }, reloadPause, signal);

  // One request for each row that somebody stays at.
  async function loadTraffic(tenants, isShown = () => true) {
    await new Promise(resolve => setTimeout(resolve, 300));
    const due = tenants.filter(({ id }) => !(traffic.get(id)?.at > Date.now() - trafficAge)).map(({ id }) => id);
    const next = async () => {
      for (let id = due.shift(); id && isShown() && !signal.aborted; id = due.shift()) {
        try {
          traffic.set(id, { at: Date.now(), ...(await get(of(id, '/traffic'), {}, signal)) });
          view.querySelectorAll(`[data-traffic="${CSS.escape(id)}"]`).forEach(cell => update(cell, trafficOf(id)));
          view.querySelectorAll(`[data-limit="${CSS.escape(id)}"]`).forEach(cell => update(cell, limitOf(id)));
        } catch (problem) {
          // The row says nothing of traffic then. Where the server refuses more, the next load asks for the others.
          if (mayPass(problem)) due.length = 0;
        }
      }
    };
    if (traffic.size > 2000) traffic.clear();
    await Promise.all([next(), next(), next()]);
  }

  // A key for one tenant sees that one, in the list.
  async function loadSummary() {
    if (!seesAll()) {
      [summary, attention].forEach(place => { place.hidden = true; });
      showGoing([]);
      return;
    }
    try {
      const { tenants, health } = await get('summary', {}, signal);
      loadGoing();
      summary.hidden = false;
      update(summary, Object.entries({ '': tenants, ...Object.fromEntries(['disabled', 'unverified', 'pending', 'healthy', 'suspended']
        .map(name => [name, health[name] ?? 0])) }).map(([name, number]) => h('li', null, h('button', {
        type: 'button', 'data-k': `count-${name}`, click: () => choose(name),
        class: number > 0 ? { disabled: 'some-bad', unverified: 'some-warn' }[name] : null,
      }, h('b', null, count(number)), filters[name][0]))));
      broken = health.disabled + health.unverified + health.pending;
      const groups = [];
      for (const name of ['disabled', 'unverified', 'pending']) {
        const left = brokenShown - groups.length;
        if (health[name] > 0 && left > 0) groups.push(...(await get('tenants', { ...filters[name][1], take: left }, signal)).tenants);
      }
      showBroken(groups, Math.max(broken, groups.length), tenants);
    } catch (problem) {
      if (problem.status !== 403) return problem;
      noteOne();
      [summary, attention].forEach(place => { place.hidden = true; });
    }
  }

  function showBroken(tenants, all, total) {
    attention.hidden = total === 0;
    attention.classList.toggle('fine', all === 0);
    const isFresh = freshOf(tenants, 'broken');
    update(attention, h('div', { class: 'head' }, h('h2', { id: 'broken' }, all === 0 ? 'Nothing is broken' : `Broken: ${count(all)}`)),
      tenants.length > 0 && tableOf('Tenants that are not served as they should be, the worst first', tenants, true, isFresh),
      all > tenants.length && button(`Show all ${count(all)}`, () => choose('broken'), { kind: 'quiet', 'data-k': 'all-broken' }));
    loadTraffic(tenants);
  }

  // A row lights up where what it says is another than it was, and not where something happened to its tenant that it does not show. One
  // that is broken now lights up as it comes.
  const rowsBefore = { all: null, broken: null };
  function freshOf(tenants, name) {
    const before = rowsBefore[name];
    const now = new Map(tenants.map(tenant => [tenant.id, [stateOf(tenant), tenant.reason, tenant.name].join('\n')]));
    rowsBefore[name] = now;
    return ({ id }) => before !== null && (before.has(id) ? before.get(id) !== now.get(id) : name === 'broken');
  }

  function tableOf(caption, tenants, isBroken, isFresh) {
    const heads = [['Tenant'], ['State'], ['Last check'], ['Calls, 24 h', 'number'], ['Limit taken', 'number']];
    return h('table', { class: 'tenants', role: 'table' }, h('caption', null, caption),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' },
        heads.map(([name, kind]) => h('th', { scope: 'col', role: 'columnheader', class: kind }, name)),
        isBroken && h('td', { role: 'cell', class: 'act' }))),
      h('tbody', { role: 'rowgroup' }, tenants.map(tenant => rowOf(tenant, isBroken, isFresh(tenant)))));
  }

  // A phone shows the rows below one another: the roles say that it is a table all the same.
  function rowOf(tenant, isBroken, isFresh) {
    const { id, name, reason } = tenant;
    const recheck = isBroken && h('td', { role: 'cell', class: 'act' }, button('Recheck', event => recheckOf(event.currentTarget, id),
      { 'aria-label': `Recheck ${id}`, 'data-k': `recheck-${id}` }));
    return h('tr', { role: 'row', 'data-row': id, class: isFresh ? 'fresh' : null },
      h('th', { scope: 'row', role: 'rowheader' },
        h('a', { href: `#/tenants/${encodeURIComponent(id)}`, 'data-k': `${isBroken ? 'b' : 'a'}-${id}` }, id),
        name && name !== id ? [' ', h('span', { class: 'soft' }, name)] : null,
        reason && stateOf(tenant) !== 'healthy' ? h('p', { class: `why ${tone(tenant)}` }, reason) : null),
      h('td', { role: 'cell' }, state(stateOf(tenant))),
      h('td', { role: 'cell', class: 'checked' }, time(tenant.lastCheckedAt)),
      h('td', { role: 'cell', class: 'number', 'data-traffic': id }, trafficOf(id)),
      h('td', { role: 'cell', class: 'number taken', 'data-limit': id }, limitOf(id)), recheck);
  }

  // Who listens is told what became of a tenant by its name, and of more than a few together how many they are.
  const [moved, told] = [new Map(), new Map()];
  let broken = null;
  function note(event, { tenant, health, before, action }) {
    const now = event === 'health' ? health !== before && health : { 'tenant.suspended': 'suspended', 'tenant.resumed': 'active' }[action];
    if (now && told.get(tenant) !== now) moved.set(tenant, now);
    if (now) told.delete(tenant);
  }

  function tellMoved() {
    if (moved.size === 0) return;
    const what = moved.size > fewMoved ? `The health of ${count(moved.size)} tenants changed`
      : [...moved].map(([id, now]) => `${id} is ${now}`).join(', ');
    say(`${what}.${broken === null ? '' : ` Broken: ${count(broken)}.`}`, 'heard');
    moved.clear();
  }

  async function recheckOf(element, id) {
    await busy(element, async () => {
      try {
        const after = await call('POST', of(id, '/recheck'));
        say(`${id} is ${stateOf(after)}.`);

        // Its event may come before this answer, or after it.
        if (!moved.delete(id)) told.set(id, after.health);
      } catch (problem) {
        say(`${id}: ${problem.message}`);
      }
    });
    reload(true);
  }

  // However much happens, all of it is asked for again every five seconds at most.
  let last = 0;
  const reload = paced(async () => {
    last = Date.now();

    // A search of many requests is made where somebody asks for it, and not again and again meanwhile.
    const isAtRest = !isSearching && (pieces === 1 || !wanted.text);
    const problem = (await Promise.all([loadSummary(), isAtRest && loadRows()])).find(one => one && mayPass(one));
    if (!problem) tellMoved();
    return problem;
  }, reloadPause, signal);
  look = () => [reload, loadGoing].forEach(load => load(true));
  on((event, data) => {
    if (event === 'change' || event === 'health') note(event, data);
    if (['change', 'health', 'reset'].includes(event) || (event === 'begin' && !data.resumed && last < Date.now() - 5000)) reload();
  }, signal);
  const again = setInterval(reload, trafficAge);
  signal.addEventListener('abort', () => clearInterval(again));
  reload(true);
}

function trafficOf(id) {
  const known = traffic.get(id);
  if (!known) return '';
  const total = known.steps.reduce((sum, step) => sum + step.calls, 0);
  const failed = known.steps.reduce((sum, step) => sum + step.failed, 0);
  return h('span', { class: 'flow' }, failed > 0 && h('span', { class: 'error' }, `${count(failed)} failed `),
    total > 0 && spark(known), h('b', null, count(total)));
}

function limitOf(id) {
  const { rateUsed, rateLimit } = traffic.get(id)?.limits ?? {};
  return rateLimit ? `${Math.round((rateUsed / rateLimit) * 100)} %` : '';
}

