// What the list of tenants needs of the charts.
import { svg } from './dom.js';

// Bars of several kinds, one upon the other.
export function bars(items, kinds, { base, high, top, x, wide }) {
  return items.flatMap((item, at) => {
    let y = base;
    return kinds.map(([name, value]) => {
      const size = (value(item) / top) * high;
      y -= size;
      return size > 0 && svg('rect', { class: name, x: x(item, at), y, width: wide, height: size });
    });
  });
}

export const kindsOfCalls = [
  ['calls', step => Math.max(0, step.calls - step.errors - step.failed - step.cancelled), 'answered'],
  ['errors', step => step.errors + step.cancelled, 'errors of callers, cancelled'],
  ['failed', step => step.failed, 'failed here'],
];

/** A tenant's day in a line of its row. */
export function spark({ from, to, stepSeconds, steps }) {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const most = Math.max(1, ...steps.map(step => step.calls));
  return svg('svg', { class: 'spark', viewBox: '0 0 96 18', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    bars(steps, kindsOfCalls, {
      base: 18, high: 18, top: most, wide: Math.max(0.8, (96 * stepSeconds * 1000) / (end - begin)),
      x: step => (96 * (Date.parse(step.at) - begin)) / (end - begin),
    }));
}
