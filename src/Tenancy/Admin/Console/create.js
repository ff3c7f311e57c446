// One form that makes a tenant. What the API says of a field stands at that field.
import { call, newOnce } from './api.js';
import { showTokens } from './dialogs.js';
import { busy, h, put, say } from './dom.js';
import { platforms } from './list.js';

const lines = text => text.split('\n').map(line => line.trim()).filter(Boolean);
const json = text => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`is no JSON: ${error.message}`);
  }
};
const number = text => (/^\d+$/.test(text.trim()) ? Number(text) : (() => { throw new Error('must be a whole number'); })());

// path is the field of the API; read makes its value of what was typed. What is left empty is left out, and gets its default.
const fields = [
  ['Who it is', [
    { path: 'id', label: 'Id', required: true, hint: 'Up to 63 lower-case letters, digits and hyphens. It stands in URLs and tokens, and never changes.' },
    { path: 'name', label: 'Name', hint: 'What people see. The id, where it is left out.' },
    { path: 'platform', label: 'Platform', list: true, hint: 'What the tenant can do: one of those that the application adds. Its default, where it is left out.' },
    { path: 'settings', label: 'Settings', area: true, read: json, hint: 'What its platform is built from: a JSON object of the platform’s own form, such as { "cpmFloor": 9 }.' },
    { path: 'urls', label: 'URLs of its own', area: true, read: lines, hint: 'One a line, such as https://acme.example.com: its endpoint is there plus /mcp. Without one it is called as every tenant is.' },
  ]],
  ['Who may call it', [
    { path: 'authentication.kind', label: 'Callers prove who they are by', options: [['', 'the server’s default'], ['bearer', 'bearer tokens, which this server issues'], ['jwks', 'tokens of an identity provider'], ['none', 'nothing: anybody may call'], ['scheme', 'a scheme of the application']], hint: 'The tenant is not served before an identity provider has answered.' },
    { path: 'authentication.issuer', kind: 'jwks', label: 'Issuer', hint: 'The identity provider’s URL, exactly as its tokens have it in iss.' },
    { path: 'authentication.audiences', kind: 'jwks', label: 'Audiences', area: true, read: lines, hint: 'One a line: what tokens may have in aud beside the URL of the tenant’s endpoint.' },
    { path: 'authentication.requireClients', kind: 'jwks', label: 'Only listed clients', check: true, hint: 'Tokens of clients that you list for the tenant, instead of those of every client of the issuer.' },
    { path: 'authentication.scheme', kind: 'scheme', label: 'Scheme', hint: 'One that the application adds with AddTenantScheme.' },
    { path: 'principals', label: 'First caller', read: text => [{ name: text }], hint: 'A name of your choice. The caller gets a bearer token, which is shown once. More can be issued later.' },
  ]],
  ['What it may use', [
    { path: 'limits.rateLimit', label: 'Requests a minute', read: number, numeric: true, hint: 'Of all its callers together. 1,000, where the server has no other default.' },
    { path: 'limits.rateLimitPerCaller', label: 'Requests a minute of one caller', read: number, numeric: true, hint: 'As many as the tenant’s, where it is left out.' },
    { path: 'limits.maxConcurrentCalls', label: 'Calls at a time', read: number, numeric: true, hint: 'That one node works on. 64, where the server has no other default.' },
    { path: 'limits.maxSessions', label: 'Sessions', read: number, numeric: true, hint: 'At a time. 1,000, where the server has no other default.' },
  ]],
];
const idOf = path => `field-${path.replaceAll('.', '-')}`;

function inputOf(field) {
  const id = idOf(field.path);
  const shared = { id, 'aria-describedby': `${id}-hint ${id}-error`, autocomplete: 'off', spellcheck: 'false', required: field.required };
  if (field.options) return h('select', shared, field.options.map(([value, text]) => h('option', { value }, text)));
  if (field.area) return h('textarea', { ...shared, rows: 2 });
  if (field.check) return h('input', { ...shared, type: 'checkbox' });
  return h('input', { ...shared, list: field.list ? 'known-platforms' : null, inputmode: field.numeric ? 'numeric' : null });
}

export function showCreate(view, signal) {
  const all = fields.flatMap(([, some]) => some).map(field => ({ ...field, input: inputOf(field) }));
  const rest = h('p', { class: 'error', role: 'alert', id: 'form-error', tabindex: '-1' });
  const adopt = h('input', { id: 'adopt', type: 'checkbox', 'aria-describedby': 'adopt-hint' });
  const go = h('button', { type: 'submit' }, 'Create the tenant');
  const field = one => {
    const id = idOf(one.path);
    return h('div', { class: 'field', 'data-kind': one.kind }, one.check
      ? h('label', { for: id }, one.input, one.label)
      : [h('label', { for: id }, one.label, one.required && h('span', { class: 'soft' }, ' (required)')), one.input],
    h('p', { class: 'hint', id: `${id}-hint` }, one.hint), h('p', { class: 'error', id: `${id}-error` }));
  };
  const form = h('form', { novalidate: true, submit: event => { event.preventDefault(); busy(go, create); } }, rest,
    fields.map(([title, some]) => h('fieldset', null, h('legend', null, title), some.map(one => field(all.find(it => it.path === one.path))))),
    h('fieldset', null, h('legend', null, 'What was there before'), h('div', { class: 'field' },
      h('label', { for: 'adopt' }, adopt, 'Take over kept data'),
      h('p', { class: 'hint', id: 'adopt-hint' }, 'Where a tenant with this id was unregistered, its principals, clients and documents come back. Without this such an id is refused.'))),
    h('datalist', { id: 'known-platforms' }, [...platforms].map(value => h('option', { value }))),
    h('div', { class: 'actions' }, go));
  put(view, h('h1', null, 'New tenant'), h('p', { class: 'soft' }, 'Only the id is needed. All but the id can be changed later.'), form);

  const kind = all.find(one => one.path === 'authentication.kind').input;
  const sort = () => form.querySelectorAll('[data-kind]').forEach(one => { one.hidden = one.dataset.kind !== kind.value; });
  kind.addEventListener('change', sort);
  sort();

  const mark = (one, message) => {
    form.querySelector(`#${idOf(one.path)}-error`).textContent = message;
    if (message) one.input.setAttribute('aria-invalid', 'true');
    else one.input.removeAttribute('aria-invalid');
  };

  function read() {
    const tenant = {};
    let first = null;
    for (const one of all) {
      mark(one, '');
      const text = one.check ? one.input.checked : one.input.value.trim();
      if (!text || (one.kind && one.kind !== kind.value)) continue;
      try {
        const value = one.read ? one.read(text) : text;
        const [name, ...below] = one.path.split('.');
        if (below.length > 0) tenant[name] = { ...tenant[name], [below[0]]: value };
        else tenant[name] = value;
      } catch (error) {
        mark(one, error.message);
        first ??= one.input;
      }
    }
    first?.focus();
    return first ? null : tenant;
  }

  // A message for settings.cpmFloor or urls[0] stands at settings or urls.
  function explain(problem) {
    const left = [];
    let first = null;
    for (const [path, messages] of Object.entries(problem.errors)) {
      const one = all.filter(it => path === it.path || path.startsWith(`${it.path}.`) || path.startsWith(`${it.path}[`))
        .sort((a, b) => b.path.length - a.path.length)[0];
      const text = messages.map(message => (one && path === one.path ? message : `${path} ${message}`)).join('\n');
      if (one && !form.querySelector(`#${idOf(one.path)}`).closest('[hidden]')) {
        mark(one, text);
        first ??= one.input;
      } else {
        left.push(text);
      }
    }
    rest.textContent = [problem.message, ...left.filter(text => !text.includes(problem.message))].join('\n');
    (first ?? rest).focus();
  }

  // The same form that is sent twice, because an answer was lost, makes one tenant.
  let sent = {};
  async function create() {
    rest.textContent = '';
    const tenant = read();
    if (!tenant) return;
    const text = JSON.stringify([tenant, adopt.checked]);
    if (sent.text !== text) sent = { text, once: newOnce() };
    try {
      const made = await call('POST', 'tenants', { query: { adopt: adopt.checked || null }, body: tenant, signal, once: sent.once });
      say(`${made.id} is there.`);
      if (made.principals?.length) await showTokens(`${made.id} is there`, made.principals);
      location.hash = `#/tenants/${encodeURIComponent(made.id)}`;
    } catch (problem) {
      if (problem.name !== 'AbortError') explain(problem);
    }
  }
}
