// Charts as SVG that is made by calls. Beside each stands a table with the same figures.
import { atClock, bytes, count, counted, h, millis, svg, table } from './dom.js';
import { bars, kindsOfCalls } from './spark.js';

// As wide as its place may be, so that its words are never small.
let width = 640;
const measure = () => { width = Math.max(300, Math.min(640, innerWidth - 30)); };
const left = 44;

const round = most => {
  const step = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return [1, 2, 5, 10].map(times => times * step).find(top => top >= most) ?? most;
};

// The figure, what it says in words for who does not see it, and its numbers in a table.
const figure = (label, height, parts, legend, numbers) => h('div', { class: 'chart' },
  svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, parts),
  legend && h('ul', { class: 'legend' }, legend.map(([name, text]) =>
    h('li', null, svg('svg', { viewBox: '0 0 10 10', 'aria-hidden': 'true' }, svg('rect', { class: name, width: 10, height: 10 })), text))),
  numbers && h('details', null, h('summary', null, 'As a table'), numbers));

const rule = (y, text) => [
  svg('path', { class: 'axis', d: `M${left} ${y}H${width}` }),
  svg('text', { x: left - 6, y: y + 4, 'text-anchor': 'end' }, text),
];

const labelOfTimes = (from, to, y) => [0, 1, 2, 3, 4].map(at => {
  const moment = from + ((to - from) * at) / 4;
  return svg('text', { x: left + ((width - left) * at) / 4, y, 'text-anchor': ['start', 'middle', 'middle', 'middle', 'end'][at] },
    atClock(moment));
});

// What took longer than this is told no further.
const longest = 60000;

const legendOf = kinds => kinds.map(([name, , text]) => [name, text]);

/** Calls, errors and p99 of a tenant over the day. */
export function traffic({ from, to, stepSeconds, steps }) {
  measure();
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const x = step => left + ((Date.parse(step.at) - begin) / (end - begin)) * (width - left);
  const wide = Math.max(1.5, ((stepSeconds * 1000) / (end - begin)) * (width - left) - 1);
  const called = steps.filter(step => step.calls > 0);
  if (called.length === 0) return [h('h3', null, 'Calls'), h('p', { class: 'soft' }, 'None in the last 24 hours.')];
  const most = round(Math.max(1, ...steps.map(step => step.calls)));
  const slowest = round(Math.max(1, ...called.map(step => step.p99Millis ?? longest)));
  const total = steps.reduce((sum, step) => sum + step.calls, 0);
  const errors = steps.reduce((sum, step) => sum + step.errors + step.cancelled, 0);
  const failed = steps.reduce((sum, step) => sum + step.failed, 0);
  const worst = Math.max(0, ...called.map(step => step.p99Millis ?? longest));
  const y = step => 92 - ((step.p99Millis ?? longest) / slowest) * 80;
  const numbers = table('Calls in steps, latest first', ['From', ['Calls', 'number'], ['Errors', 'number'], ['Failed', 'number'],
    ['Median', 'number'], ['p99', 'number']], [...called].reverse().map(step => [atClock(Date.parse(step.at)), count(step.calls),
    count(step.errors + step.cancelled), count(step.failed), millis(step.p50Millis), millis(step.p99Millis)]));
  return [
    h('h3', null, 'Calls'),
    figure(`${count(total)} calls in 24 hours, of which ${count(errors)} were errors or cancelled, and ${count(failed)} failed here.`,
      150, [rule(10, count(most)), rule(130, '0'), bars(steps, kindsOfCalls, { base: 130, high: 120, top: most, x, wide }),
        labelOfTimes(begin, end, 147)], legendOf(kindsOfCalls)),
    h('h3', null, '99 of 100 calls took at most'),
    figure(`In the slowest step 99 of 100 calls took at most ${millis(worst)}.`, 112,
      [rule(12, millis(slowest)), rule(92, '0'), lines('p99', called, stepSeconds, step => `${x(step) + wide / 2} ${y(step)}`),
        called.map(step => svg('circle', { class: 'dot', r: 1.8, cx: x(step) + wide / 2, cy: y(step) })), labelOfTimes(begin, end, 109)],
      null, numbers),
  ];
}

// A line has a gap where there were no calls.
const lines = (name, steps, seconds, point) => svg('path', {
  class: name,
  d: steps.map((step, at) => {
    const before = steps[at - 1];
    return (before && Date.parse(step.at) - Date.parse(before.at) <= seconds * 1500 ? 'L' : 'M') + point(step);
  }).join(''),
});

// A change of the tenant that made it wait for a check has no time: it came shortly before that check ended, or before now.
function timesOf(health, begin, end) {
  let next = end;
  return health.toReversed().map(change => {
    next = Math.max(begin, Date.parse(change.at) || next);
    return { ...change, at: next };
  }).reverse();
}

/** How a tenant was over the day. Before the first change that is known it had what that one changed, if it was there. */
export function healthOver({ from, to, health }, now, createdAt) {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const x = moment => left + ((moment - begin) / (end - begin)) * (width - left);
  const made = Date.parse(createdAt);
  const spans = [...(made > begin ? [{ at: begin, health: 'unknown' }] : []),
    { at: Math.max(begin, Math.min(made || begin, end)), health: health.length === 0 ? now : health[0].before ?? 'unknown' },
    ...timesOf(health, begin, end)]
    .filter((span, at, all) => !(all[at + 1]?.at <= begin));
  const parts = spans.map((span, at) => {
    const until = spans[at + 1]?.at ?? end;
    return svg('rect', { class: `${span.health}-bar`, x: x(span.at), y: 2, width: Math.max(1, x(until) - x(span.at)), height: 18 },
      svg('title', null, `${span.health} from ${atClock(span.at)}${span.reason ? `: ${span.reason}` : ''}`));
  });
  const seen = [...new Set(spans.map(span => span.health))];
  const numbers = table('Changes of health, latest first', ['At', 'Health', 'Reason', 'Found by'],
    [...health].reverse().map(change => [
      change.at ? atClock(Date.parse(change.at)) : '', change.health, change.reason ?? '', change.node ?? '']),
    { empty: 'It did not change in the last 24 hours, as far as is known.' });
  return figure(`Health over the last 24 hours: ${spans.map(span => `${span.health} from ${atClock(span.at)}`).join(', ')}.`, 38,
    [parts, labelOfTimes(begin, end, 35)], seen.map(name => [`${name}-bar`, name]), numbers);
}

const percent = number => `${count(number)} %`;

const kindsOfLimits = [
  ['ratePeakPercent', 'requests a minute'],
  ['callsPeakPercent', 'calls at a time'],
  ['anonymousPeakPercent', 'requests a minute without credentials'],
  ['sessionsPeakPercent', 'sessions'],
  ['documentsPeakPercent', 'bytes of documents'],
];

/** How much of each limit was spent over the day, and what was refused because of that. What a tenant had none of is left out. */
export function spent({ from, to, stepSeconds, steps }) {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const slot = ((stepSeconds * 1000) / (end - begin)) * (width - left);
  const x = step => left + ((Date.parse(step.at) - begin) / (end - begin)) * (width - left);
  const most = name => Math.max(0, ...steps.map(step => step[name]));
  const kinds = kindsOfLimits.filter(([name]) => most(name) > 0);
  const refused = steps.reduce((sum, step) => sum + step.refusedByLimits, 0);
  const some = steps.filter(step => step.refusedByLimits > 0 || kinds.some(([name]) => step[name] > 0));
  if (some.length === 0) return [];

  // A strip for each limit, as high as it may be spent, and one for what was refused.
  const strip = (at, text, name, value) => [
    svg('text', { x: left, y: at * 36 + 11 }, text),
    svg('path', { class: 'axis', d: `M${left} ${at * 36 + 36}H${width}` }),
    bars(some, [[name, value]], { base: at * 36 + 36, high: 20, top: 100, x, wide: Math.max(1.5, slot - 1) }),
  ];
  const strips = kinds.map(([name, words], at) => strip(at, `${percent(most(name))} of the ${words}`, 'calls', step => step[name]));
  if (refused > 0) {
    strips.push(strip(strips.length, `${counted(refused, 'request')} refused for it`, 'failed', step => step.refusedByLimits && 100));
  }

  const told = kinds.map(([name, words]) => `${percent(most(name))} of the ${words}`).join(', ') || 'nothing that is kept';
  return [
    h('h3', null, 'Spent of the limits at most'),
    figure(`Spent at most in 24 hours: ${told}; ${counted(refused, 'request')} refused for it.`, strips.length * 36 + 18,
      [strips, labelOfTimes(begin, end, strips.length * 36 + 15)], null,
      table('Spent of the limits in steps, latest first',
        ['From', ...kinds.map(([, words]) => [words[0].toUpperCase() + words.slice(1), 'number']), ['Refused', 'number']],
        some.toReversed().map(step => [atClock(Date.parse(step.at)), ...kinds.map(([name]) => percent(step[name])),
          count(step.refusedByLimits)]))),
  ];
}

/** What is taken of the limits now. */
export const limits = taken => [
  ['Requests a minute', taken.rateUsed, taken.rateLimit, count],
  ['Calls at work', taken.concurrentCalls, taken.maxConcurrentCalls, count],
  ['Sessions', taken.sessions, taken.maxSessions, count],
  ['Documents', taken.documentBytes, taken.maxDocumentBytes, bytes],
].filter(([, , limit]) => limit).map(([label, used, limit, words], at) => h('div', { class: 'meter' },
  h('div', null, h('span', { id: `meter-${at}` }, label), h('span', null, `${words(used)} of ${words(limit)}`)),
  h('meter', { min: 0, max: limit, high: limit * 0.8, optimum: 0, value: used, 'aria-labelledby': `meter-${at}` }, `${used} of ${limit}`)));

const mostTools = 50;
const kindsOfUse = [
  ['calls', day => day.ok, 'ok'],
  ['errors', day => day.error + day.cancelled, 'errors of callers, cancelled'],
  ['failed', day => day.failed + day.unavailable, 'failed here'],
];

/** What was used, by day. */
export function usage({ from, to, usage: rows }) {
  measure();
  const days = [];
  for (let day = Date.parse(from); day <= Date.parse(to); day += 86400000) {
    const none = { ok: 0, error: 0, cancelled: 0, failed: 0, unavailable: 0, seconds: 0, units: 0 };
    days.push({ day: new Date(day).toISOString().slice(0, 10), ...none });
  }
  const tools = new Map();
  for (const row of rows) {
    const day = days.find(one => one.day === row.day);
    if (!day) continue;
    day[row.outcome] = (day[row.outcome] ?? 0) + row.calls;
    day.seconds += row.seconds;
    day.units += row.units;
    const tool = tools.get(row.tool) ?? [row.tool, 0, 0, 0];
    tool[1] += row.calls;
    tool[2] += row.outcome === 'ok' ? 0 : row.calls;
    tool[3] += row.seconds;
    tools.set(row.tool, tool);
  }
  const callsOf = day => kindsOfUse.reduce((sum, [, value]) => sum + value(day), 0);
  const top = round(Math.max(1, ...days.map(callsOf)));
  const slot = (width - left) / days.length;
  const total = days.reduce((sum, day) => sum + callsOf(day), 0);
  if (total === 0) return h('p', { class: 'soft' }, 'No calls in these 30 days.');
  const labels = days.filter((_, at) => at % Math.ceil(days.length / (width / 80)) === 0);
  return [
    figure(`${count(total)} calls from ${from} to ${to}.`, 150, [rule(10, count(top)), rule(130, '0'),
      bars(days, kindsOfUse, { base: 130, high: 120, top, x: (_, at) => left + at * slot + 1, wide: Math.min(26, slot - 2) }),
      labels.map(day => svg('text', { x: left + days.indexOf(day) * slot, y: 147 }, day.day.slice(5)))],
    legendOf(kindsOfUse),
    table('By day (UTC), latest first', ['Day', ['ok', 'number'], ['Errors', 'number'], ['Failed', 'number'], ['Seconds', 'number'],
      ['Units', 'number']], [...days].reverse().filter(day => callsOf(day) > 0).map(day => [day.day, count(day.ok),
      count(day.error + day.cancelled), count(day.failed + day.unavailable), count(Math.round(day.seconds * 10) / 10), count(day.units)]))),
    table(tools.size > mostTools ? `By tool, the ${mostTools} called most of ${count(tools.size)}` : 'By tool',
      ['Tool', ['Calls', 'number'], ['Not ok', 'number'], ['Mean', 'number']],
      [...tools.values()].sort((one, two) => two[1] - one[1]).slice(0, mostTools).map(([tool, calls, bad, seconds]) =>
        [tool, count(calls), count(bad), millis((seconds * 1000) / calls)])),
  ];
}
