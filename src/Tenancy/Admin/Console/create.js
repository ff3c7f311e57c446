// One form that makes a tenant. What the API says of a field stands at that field.
import { call, keepKeys } from './api.js';
import { showTokens } from './dialogs.js';
import { busy, button, h, put, say } from './dom.js';
import { platforms } from './list.js';

const lines = text => text.split('\n').map(line => line.trim()).filter(Boolean);
const json = text => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`is no JSON: ${error.message}`);
  }
};
const number = text => {
  if (!/^\d+$/.test(text)) throw new Error('must be a whole number');
  return Number(text);
};
const numeric = { read: number, numeric: true };

// The field of the API, what people call it, what it means, and what else is to be known of it: read makes its value of what was typed.
// What is left empty is left out, and gets its default.
const fields = [
  ['Who it is',
    ['id', 'Id', 'Up to 63 lower-case letters, digits and hyphens. It stands in URLs and tokens, and never changes.', { required: true }],
    ['name', 'Name', 'What people see. The id, where it is left out.'],
    ['platform', 'Platform', 'What the tenant can do: one of those that the application adds, or its default.', { list: true }],
    ['settings', 'Settings', 'What its platform is built from: a JSON object of the platform’s own form, such as { "cpmFloor": 9 }.',
      { area: true, read: json }],
    ['secrets', 'Secrets', 'What its platform needs and nobody may read, such as the key of an ad server: a name (letters a to z, digits, '
      + 'hyphens, underscores) and a value. They are written, and never shown again.', { secret: true }],
    ['urls', 'URLs of its own', 'One a line, such as https://acme.example.com, to which /mcp is added. None is needed.',
      { area: true, read: lines }]],
  ['Who may call it',
    ['authentication.kind', 'Callers prove who they are by', 'With an identity provider the tenant is served once that has answered.', {
      options: [['', 'the server’s default'], ['bearer', 'bearer tokens, which this server issues'],
        ['jwks', 'tokens of an identity provider'], ['none', 'nothing: anybody may call'], ['scheme', 'a scheme of the application']],
    }],
    ['authentication.issuer', 'Issuer', 'The identity provider’s URL, exactly as its tokens have it in iss.', { kind: 'jwks' }],
    ['authentication.audiences', 'Audiences', 'One a line: what tokens may have in aud beside the URL of the tenant’s endpoint.',
      { kind: 'jwks', area: true, read: lines }],
    ['authentication.requireClients', 'Only listed clients', 'Tokens of clients that you list for it, and not of all of the issuer.',
      { kind: 'jwks', check: true }],
    ['authentication.scheme', 'Scheme', 'One that the application adds with AddTenantScheme.', { kind: 'scheme' }],
    ['principals', 'First caller', 'A name of your choice. It gets a bearer token, which is shown once. More can be issued later.',
      { read: text => [{ name: text }] }]],
  ['What it may use',
    ['limits.rateLimit', 'Requests a minute', 'Of all its callers together. 1,000, where the server has no other default.', numeric],
    ['limits.rateLimitPerCaller', 'Requests a minute of one caller', 'As many as the tenant’s, where it is left out.', numeric],
    ['limits.maxConcurrentCalls', 'Calls at a time', 'That one node works on. 64, where the server has no other default.', numeric],
    ['limits.maxSessions', 'Sessions', 'At a time. 1,000, where the server has no other default.', numeric]],
];
const adoptHint = 'Of an unregistered tenant with this id: its principals, clients and documents come back. Without this it is refused.';
const idOf = path => `field-${path.replaceAll('.', '-')}`;

// Names and values of secrets. The first name is the field's input, at which stands what is wrong.
function secretRows(first, hint) {
  const rows = [];
  const place = h('div');
  const add = () => {
    const [at, more] = [rows.length + 1, { 'aria-describedby': hint, spellcheck: 'false' }];
    const name = at === 1 ? first : h('input', { ...more, autocomplete: 'off' });
    name.placeholder = 'Name';
    name.setAttribute('aria-label', `Name of secret ${at}`);
    const value = h('input', {
      ...more, type: 'password', placeholder: 'Value', autocomplete: 'new-password', 'aria-label': `Value of secret ${at}`,
    });
    rows.push([name, value]);
    place.append(h('div', { class: 'line' }, name, value));
    return name;
  };
  add();
  const read = () => {
    const some = rows.map(([name, value]) => [name.value.trim(), value.value]).filter(([name, value]) => name || value);
    if (some.some(([name, value]) => !name || !value)) throw new Error('need a name and a value each');
    if (new Set(some.map(([name]) => name)).size < some.length) throw new Error('need a name of their own each');
    return some.length > 0 ? Object.fromEntries(some) : null;
  };
  return { read, place: h('div', null, place, button('Another secret', () => add().focus())) };
}

function inputOf(field) {
  const id = idOf(field.path);
  const shared = { id, 'aria-describedby': `${id}-hint ${id}-error`, autocomplete: 'off', spellcheck: 'false', required: field.required };
  if (field.options) return h('select', shared, field.options.map(([value, text]) => h('option', { value }, text)));
  if (field.area) return h('textarea', { ...shared, rows: 2 });
  if (field.check) return h('input', { ...shared, type: 'checkbox' });
  return h('input', { ...shared, list: field.list ? 'known-platforms' : null, inputmode: field.numeric ? 'numeric' : null });
}

export function showCreate(view, signal) {
  const groups = fields.map(([title, ...some]) => [title, some.map(([path, label, hint, more]) => {
    const one = { path, label, hint, ...more };
    const input = inputOf(one);
    return { ...one, input, rows: one.secret && secretRows(input, `${idOf(path)}-hint`) };
  })]);
  const all = groups.flatMap(([, some]) => some);
  const rest = h('p', { class: 'error', role: 'alert', id: 'form-error', tabindex: '-1' });
  const adopt = h('input', { id: 'adopt', type: 'checkbox', 'aria-describedby': 'adopt-hint' });
  const go = h('button', { type: 'submit' }, 'Create the tenant');
  const field = one => {
    const id = idOf(one.path);
    return h('div', { class: 'field', 'data-kind': one.kind }, one.check
      ? h('label', { for: id }, one.input, one.label)
      : [h('label', { for: id }, one.label, one.required && h('span', { class: 'soft' }, ' (required)')), one.rows?.place ?? one.input],
    h('p', { class: 'hint', id: `${id}-hint` }, one.hint), h('p', { class: 'error', id: `${id}-error` }));
  };
  const form = h('form', { novalidate: true, submit: event => { event.preventDefault(); busy(go, create); } }, rest,
    groups.map(([title, some]) => h('fieldset', null, h('legend', null, title), some.map(field))),
    h('fieldset', null, h('legend', null, 'What was there before'), h('div', { class: 'field' },
      h('label', { for: 'adopt' }, adopt, 'Take over kept data'),
      h('p', { class: 'hint', id: 'adopt-hint' }, adoptHint))),
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
      if (one.kind && one.kind !== kind.value) continue;
      try {
        const text = one.rows ? one.rows.read() : one.check ? one.input.checked : one.input.value.trim();
        if (!text && one.required) throw new Error('is needed');
        if (!text) continue;
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

  // The same form that is sent twice, because an answer was lost, makes one tenant. Who leaves the page meanwhile is shown the token, too.
  const once = keepKeys();
  async function create() {
    rest.textContent = '';
    const tenant = read();
    if (!tenant) return;
    const query = { adopt: adopt.checked || null };
    try {
      const made = await once(JSON.stringify([tenant, query]), key => call('POST', 'tenants', { query, body: tenant, once: key }));
      say(`${made.id} is there.`);
      if (made.principals?.length) await showTokens(`${made.id} is there`, made.principals);
      if (!signal.aborted) location.hash = `#/tenants/${encodeURIComponent(made.id)}`;
    } catch (problem) {
      if (signal.aborted) say(problem.message);
      else explain(problem);
    }
  }
}
