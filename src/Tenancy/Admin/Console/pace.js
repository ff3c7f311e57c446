// Loads that share what the key may ask for in a minute.
import { mayPass, waitOf } from './api.js';

/**
 * Makes a load that runs at most every `pause` ms, however often it is asked for, and not while nobody looks. What it gives is the problem
 * that it met: one that may pass is tried again when the server says so. Where a person waits for it, it runs at once.
 */
export function paced(load, pause, signal) {
  let [timer, next] = [0, 0];
  let [runs, again, waited] = [false, false, false];
  const seen = () => ask();
  const ask = isAtOnce => {
    again = true;
    waited ||= isAtOnce === true;
    if (runs || signal.aborted || (timer && !waited)) return;
    clearTimeout(timer);
    timer = setTimeout(run, waited ? 0 : Math.max(200, next - Date.now()));
  };
  async function run() {
    timer = 0;
    if (document.hidden) {
      document.addEventListener('visibilitychange', seen, { once: true, signal });
      return;
    }
    [runs, again, waited] = [true, false, false];
    next = Date.now() + pause;
    try {
      const problem = await load();
      if (problem && mayPass(problem)) {
        next = Date.now() + waitOf(problem);
        again = true;
      }
    } finally {
      runs = false;
    }
    if (again) ask();
  }
  signal.addEventListener('abort', () => clearTimeout(timer));
  return ask;
}
