// What happens, as it happens: GET events, read with fetch, because an EventSource cannot send the key.
import { headers, problemOf, refuse, send, urlOf } from './api.js';

// The server says something each minute at least, be it nothing.
const silence = 75000;

const listeners = new Set();
/** Hears of every event until the signal says so. */
export function on(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
}

const tell = (event, data) => listeners.forEach(listener => listener(event, data));

/** Follows the events until the signal says so. What a lost connection missed is asked for by the last id. */
export async function follow(signal, status) {
  let last = null;
  let wait = 1000;
  while (!signal.aborted) {
    const begun = Date.now();
    try {
      await read(signal, last, id => { last = id; }, () => { wait = 1000; status(true); });

      // The server ends each stream after a while.
      if (Date.now() - begun > silence) continue;
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 400) last = null;
      if (error.status === 401) refuse(error);
      wait = Math.min(wait * 2, 30000);
    }
    status(false);
    await new Promise(resolve => setTimeout(resolve, wait));
  }
}

async function read(signal, last, note, begun) {
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort(), { signal: stop.signal });
  let timer = setTimeout(() => stop.abort(), silence);
  try {
    const response = await send(urlOf('events'), {
      signal: stop.signal,
      headers: { ...headers(), Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) },
    });
    if (!response.ok) throw await problemOf(response);
    begun();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), silence);
      const blocks = (rest + value).replaceAll('\r\n', '\n').split('\n\n');
      rest = blocks.pop();
      blocks.forEach(block => dispatch(block, note));
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

function dispatch(block, note) {
  let event = 'message';
  let data = '';
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    const [name, value] = [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')];
    if (name === 'event') event = value;
    else if (name === 'data') data += value;
    else if (name === 'id') note(value);
  }
  if (data) tell(event, JSON.parse(data));
}
