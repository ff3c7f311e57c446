import { get, noteOne, setKey, whenRefused } from './api.js';
import { byId, h, put, say, write } from './dom.js';
import { follow, on } from './live.js';

// What is shown comes when somebody first looks at it: the page is there sooner.
const views = {
  '': async () => (await import('./list.js')).showList,
  tenants: async () => (await import('./tenant.js')).showTenant,
  new: async () => (await import('./create.js')).showCreate,
  nodes: async () => (await import('./nodes.js')).showNodes,
};

let session = null;
let page = new AbortController();

const decode = text => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

async function show() {
  page.abort();
  if (!session) return;
  page = new AbortController();
  const [name, id] = location.hash.replace(/^#\/?/, '').split('/').map(decode);
  const [view, { signal }] = [byId('view'), page];
  put(view, h('h1', null, 'Loading…'));
  for (const link of document.querySelectorAll('#nav a')) {
    if (link.hash === `#/${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  let draw;
  try {
    const isKnown = Object.hasOwn(views, name) && (name !== 'tenants' || /^[a-z0-9-]+$/.test(id));
    draw = await views[isKnown ? name : '']();
  } catch {
    if (signal.aborted) return;

    // A browser may not ask again for a file that it did not get.
    draw = () => put(view, h('h1', null, 'The server did not answer'), h('p', null, 'Load the page again.'));
  }
  if (signal.aborted) return;
  draw(view, signal, id);
  const heading = view.querySelector('h1');
  document.title = `${heading.textContent} · Tenants`;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function enter(key) {
  setKey(key);
  session = new AbortController();
  byId('sign-in').hidden = true;
  for (const id of ['nav', 'leave', 'view', 'live']) byId(id).hidden = false;
  byId('nodes').hidden = false;
  tell(false);
  show();
  follow(session.signal, tell);
}

// What one person looked for is not for the next, whose key may show less.
const forget = () => {
  if (location.hash.length > 1) history.replaceState(null, '', location.pathname);
  import('./list.js').then(list => list.forget(), () => {});
};

function leave(why) {
  setKey('');
  session?.abort();
  page.abort();
  session = null;
  put(byId('view'));
  // A token is shown once: its dialog stays until somebody has it.
  document.querySelectorAll('dialog:not(.once)').forEach(dialog => dialog.close());
  forget();
  for (const id of ['nav', 'leave', 'view', 'live']) byId(id).hidden = true;
  byId('sign-in').hidden = false;
  byId('key-error').textContent = why;
  document.title = 'Sign in · Tenants';
  byId('key').focus();
}

function tell(isLive) {
  const place = byId('live');
  const text = isLive ? 'Live' : 'Connecting…';
  place.classList.toggle('lost', !isLive);
  write(place, text);
}

const why = problem => {
  if (problem.status === 401) return 'The server does not know this key.';
  return problem.status === 429 ? `${problem.message} (${problem.retryAfter ?? 60} s)` : problem.message;
};

byId('sign-in').addEventListener('submit', async event => {
  event.preventDefault();
  const [field, go] = [byId('key'), event.target.querySelector('button')];
  const key = field.value.trim();
  byId('key-error').textContent = '';
  field.removeAttribute('aria-invalid');
  go.disabled = true;
  try {
    setKey(key);
    await get('tenants', { take: 1 });
    field.value = '';
    enter(key);
  } catch (problem) {
    setKey('');
    byId('key-error').textContent = why(problem);
    field.setAttribute('aria-invalid', 'true');
    field.focus();
  } finally {
    go.disabled = false;
  }
});

byId('host').textContent = location.host;
document.querySelector('.skip').addEventListener('click', event => {
  // Its place is no page of the console.
  event.preventDefault();
  byId('main').focus();
});
whenRefused(problem => session && leave(why(problem)));
byId('leave').addEventListener('click', () => leave(''));
addEventListener('hashchange', show);
on((event, data) => {
  if (event === 'begin' && data.tenants === null) {
    noteOne();
    byId('nodes').hidden = true;
  }
  if (event === 'reset') say(`The server does not know any more what happened meanwhile, so all was loaded again. ${data.reason ?? ''}`);
});
