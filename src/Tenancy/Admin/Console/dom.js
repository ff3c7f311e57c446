// Elements are made by calls, and what comes from the API is always text: nothing here takes markup.
const svgSpace = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element[`on${name}`] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
export const svg = (tag, properties, ...children) => fill(document.createElementNS(svgSpace, tag), properties, children);
export const byId = id => document.getElementById(id);

/**
 * Leads the focus to the element that has the place of an earlier one, or beside it where that can do nothing now, such as on to the last
 * page, or to the page's heading, so that it is never lost.
 */
export function focusAt(key) {
  const there = [...document.querySelectorAll('[data-k]')].find(one => one.dataset.k === key);
  const beside = there?.disabled ? there.closest('nav')?.querySelector('button:not(:disabled)') : there;
  (beside ?? document.querySelector('#view h1'))?.focus({ preventScroll: true });
}

/** Puts new content in a place, instead of what was there. */
export const put = (place, ...content) => place.replaceChildren(...content.flat(Infinity).filter(Boolean));

/**
 * Makes what is in a place the same as new content, and keeps the elements that are there. So what somebody opened stays open, what they
 * scrolled stays where it is, who is at a button stays at it, and a screen reader says what changed, and not all of it again. Elements
 * with a data-row or data-k are known by that, others by their order. The new content is used up: nobody may hold on to its elements.
 */
export function update(place, ...content) {
  const active = document.activeElement;
  const at = place.contains(active) ? active.closest('[data-k]')?.dataset.k : undefined;
  match(place, content.flat(Infinity).filter(Boolean).map(one => (one instanceof Node ? one : new Text(one))));
  if (at !== undefined && (document.activeElement !== active || active.disabled)) focusAt(at);
}

const keyOf = ({ nodeName, dataset }) => `${nodeName} ${dataset?.row ?? dataset?.k ?? ''}`;

function match(place, wanted) {
  const known = Map.groupBy(place.childNodes, keyOf);
  const shown = wanted.map(node => {
    const one = known.get(keyOf(node))?.shift();
    return one ? become(one, node) : node;
  });
  known.forEach(rest => rest.forEach(node => node.remove()));
  let next = place.firstChild;
  for (const node of shown) {
    if (node === next) next = next.nextSibling;
    else place.insertBefore(node, next);
  }
}

// What the page itself notes at an element while it is shown.
const noted = ['open', 'aria-busy', 'aria-disabled'];

function become(one, wanted) {
  if (one.nodeType === Node.TEXT_NODE) {
    if (one.data !== wanted.data) one.data = wanted.data;
    return one;
  }
  for (const { name } of [...one.attributes]) {
    if (!wanted.hasAttribute(name) && !noted.includes(name)) one.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (one.getAttribute(name) !== value) one.setAttribute(name, value);
  }
  one.onclick = wanted.onclick;
  match(one, [...wanted.childNodes]);
  return one;
}

/** Writes a text where another one stands. A screen reader would say the same one again. */
export function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Leads through a list by the cursors of its pages; nothing where it has one page. */
export const pages = (label, cursors, next, turn) => (cursors.length > 0 || next) && h('nav', { class: 'pages', 'aria-label': label },
  button('Previous', () => turn(cursors.slice(0, -1)), { disabled: cursors.length === 0, 'data-k': `previous ${label}` }),
  button('Next', () => turn([...cursors, next]), { disabled: !next, 'data-k': `next ${label}` }));

/** Says which page somebody has turned to, and keeps the button that did it in sight: a page may be shorter than the one before. */
export function sayPage(list) {
  say(list.querySelector('caption')?.textContent ?? '', 'heard');
  if (list.contains(document.activeElement)) document.activeElement.scrollIntoView({ block: 'nearest' });
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

/** Says something to whoever sees and whoever listens; as heard, to those who listen only, because it is seen elsewhere. */
export function say(text, kind) {
  const line = h('p', { class: kind }, text);
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
    write(one, ago(one.dateTime));
  }
}, 10000);

/** A table: heads are texts, or [text, class]; rows are lists of cells, of which the first heads its row; keys tell rows apart. */
export function table(caption, heads, rows, { empty = 'None.', keys = [] } = {}) {
  if (rows.length === 0) return h('p', { class: 'soft' }, empty);
  const classes = heads.map(head => (Array.isArray(head) ? head[1] : null));
  return h('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption },
    h('table', null,
      h('caption', null, caption),
      h('thead', null, h('tr', null, heads.map((head, at) => (head === ''
        ? h('td')
        : h('th', { scope: 'col', class: classes[at] }, Array.isArray(head) ? head[0] : head))))),
      h('tbody', null, rows.map((row, place) => h('tr', { 'data-row': keys[place] }, row.map((cell, at) => (at === 0
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
