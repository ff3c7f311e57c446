import { get, noteOne, seesAll } from './api.js';
import { count, h, put, table, time, update, write } from './dom.js';
import { on } from './live.js';
import { paced } from './pace.js';

const often = 5000;

/** The servers that share the store. */
export function showNodes(view, signal) {
  const place = h('section', { 'aria-label': 'Nodes' });
  const error = h('p', { class: 'error', role: 'alert' });
  put(view, h('h1', null, 'Nodes'), place, error);
  const load = paced(async () => {
    if (!seesAll()) {
      update(place, h('p', null, 'A key for one tenant is told of no nodes.'));
      return;
    }
    try {
      const { store, nodes } = await get('nodes', {}, signal);
      update(place, h('p', null, 'The store is ', h('b', null, store), '.'), table(
        'The servers that share the store, the oldest first',
        ['Node', 'Host', 'Started', 'Release', ['Tenants', 'number'], ['Version', 'number'], ['Behind', 'number'], ['Heard of', 'number']],
        nodes.map(node => [node.id, node.host, time(node.startedAt), node.release, count(node.tenants), count(node.version),
          `${node.lagSeconds.toFixed(1)} s`, `${node.heardSecondsAgo.toFixed(0)} s ago`]), { keys: nodes.map(node => node.id) }));
      write(error, '');
    } catch (problem) {
      if (problem.status === 403) noteOne();
      if (problem.name !== 'AbortError') write(error, problem.message);
      return problem;
    }
  }, often, signal);
  on(event => event === 'nodes' && load(), signal);
  const again = setInterval(load, often);
  signal.addEventListener('abort', () => clearInterval(again));
  load(true);
}
