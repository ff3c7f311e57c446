// Elements are made by calls, and what comes from the API is always text: nothing here takes markup.
const svgSpace = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
export const svg = (tag, properties, ...children) => fill(document.createElementNS(svgSpace, tag), properties, children);
export const byId = id => document.getElementById(id);

/** Leads the focus to the element that has the place of an earlier one, or to the page's heading, so that it is never lost. */
export function focusAt(key) {
  const there = [...document.querySelectorAll('[data-k]')].find(one => one.dataset.k === key);
  (there && !there.disabled ? there : document.querySelector('#view h1'))?.focus({ preventScroll: true });
}

/** Puts new content in a place. Who was at an element with a data-k stays at the one that has its place. */
export function put(place, ...content) {
  const at = place.contains(document.activeElement) ? document.activeElement.closest('[data-k]')?.dataset.k : undefined;
  place.replaceChildren(...content.flat(Infinity).filter(Boolean));
  if (at !== undefined) focusAt(at);
}

export const button = (text, click, { kind = 'plain', ...more } = {}) =>
  h('button', { type: 'button', class: kind, click, ...more }, text);

/** Runs what a button is for. Meanwhile it cannot be pressed again, and what goes wrong is said. A disabled one would lose the focus. */
export async function busy(element, work) {
  if (element.hasAttribute('aria-busy')) return undefined;
  element.setAttribute('aria-disabled', 'true');
  element.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } catch (error) {
    if (error.name !== 'AbortError') say(error.message);
    return undefined;
  } finally {
    element.removeAttribute('aria-disabled');
    element.removeAttribute('aria-busy');
  }
}

/** Says something to whoever sees and whoever listens. */
export function say(text) {
  const line = h('p', null, text);
  byId('said').append(line);
  setTimeout(() => line.remove(), 9000);
}

const numbers = new Intl.NumberFormat('en');
export const count = number => numbers.format(number);
export const counted = (number, one, many = one + 's') => `${count(number)} ${number === 1 ? one : many}`;
export const millis = number => {
  if (number === null) return 'over 60 s';
  return number >= 1000 ? `${numbers.format(Math.round(number / 100) / 10)} s` : `${Math.round(number)} ms`;
};
export const bytes = number =>
  number >= 1 << 20 ? `${numbers.format(Math.round(number / 104857.6) / 10)} MiB` : `${numbers.format(Math.round(number / 1024))} KiB`;

const units = [[1, 's', 90], [60, 'min', 5400], [3600, 'h', 129600], [86400, 'days', Infinity]];
export function ago(text) {
  const since = (Date.now() - Date.parse(text)) / 1000;
  const seconds = Math.abs(since);
  if (since > -3 && since < 10) return 'just now';
  const [size, unit] = units.find(([, , below]) => seconds < below);
  const words = `${Math.round(seconds / size)} ${unit}`;
  return since < 0 ? `in ${words}` : `${words} ago`;
}

const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
export const atClock = time => clock.format(time);
export const wholeTime = text => whole.format(new Date(text));

/** A time as people say it; the title has it in full. */
export const time = text => (text
  ? h('time', { datetime: text, title: wholeTime(text) }, ago(text))
  : h('span', { class: 'soft' }, 'never'));

setInterval(() => {
  for (const one of document.querySelectorAll('time')) {
    const words = ago(one.dateTime);
    if (one.textContent !== words) one.textContent = words;
  }
}, 10000);

/** A table: heads are texts, or [text, class]; rows are lists of cells, of which the first heads its row. */
export function table(caption, heads, rows, { empty = 'None.', plain } = {}) {
  if (rows.length === 0) return h('p', { class: 'soft' }, empty);
  const classes = heads.map(head => (Array.isArray(head) ? head[1] : null));
  return h('div', { class: 'scroll', tabindex: plain ? null : '0', role: plain ? null : 'group', 'aria-label': plain ? null : caption },
    h('table', null,
      h('caption', null, caption),
      h('thead', null, h('tr', null, heads.map((head, at) => (head === ''
        ? h('td')
        : h('th', { scope: 'col', class: classes[at] }, Array.isArray(head) ? head[0] : head))))),
      h('tbody', null, rows.map(row => h('tr', null, row.map((cell, at) => (at === 0
        ? h('th', { scope: 'row', class: classes[at] }, cell)
        : h('td', { class: heads[at] === '' ? 'act' : classes[at] }, cell))))))));
}

const marks = { healthy: '● ', unverified: '▲ ', disabled: '■ ', pending: '○ ', suspended: '‖ ' };
export const stateOf = tenant => (tenant.status === 'suspended' ? 'suspended' : tenant.health);

/** How a tenant is: by a mark, a word and a colour. */
export const state = name =>
  h('span', { class: `state ${name}` }, h('span', { 'aria-hidden': 'true' }, marks[name] ?? ''), name);

/** How loud to say why: what callers feel is bad, what they do not feel yet is a warning. */
export const tone = tenant => ({ disabled: 'bad', unverified: 'warn' })[stateOf(tenant)] ?? 'wait';
