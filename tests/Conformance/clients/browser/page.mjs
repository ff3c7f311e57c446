// What runs in a page: the official clients, used as an application of the browser uses them, and the browser's own fetch.
import { clients } from '../official/clients.mjs';
import { Person } from '../person.mjs';

/** A person who signs in in a window of its own, as the browser shows it. */
class Visitor extends Person {
  constructor() { super(`${location.origin}/signed-in`); }

  visit(url) {
    return new Promise(done => {
      addEventListener('message', ({ origin, data }) => {
        if (origin === location.origin) done(new URLSearchParams(data));
      }, { once: true });
      open(url);
    });
  }
}

// The window of a person who has signed in tells the one that it came from, and goes.
if (location.pathname === '/signed-in') {
  opener.postMessage(location.search, location.origin);
  close();
}

let connection, person;

// An error's text would come back to the test with words of the driver around it.
const tell = action => async (...parameters) => {
  try {
    return { value: await action(...parameters), asked: person?.asked.splice(0) };
  } catch (error) {
    return { error: error.message, asked: person?.asked.splice(0) };
  }
};

Object.assign(globalThis, {
  openConnection: tell(async (name, url, { token, signsIn }) => {
    person = signsIn ? new Visitor() : undefined;
    connection = await clients.find(client => client.name === name).connect(url, { token, person });
  }),
  listTools: tell(() => connection.tools()),
  callTool: tell((name, args) => connection.call(name, args)),
  closeConnection: tell(() => connection.close()),

  /** What a page can read of an answer: its status, the headers that it may see, and its body, of a stream the beginning. */
  ask: tell(async (url, { headers, ...how }) => {
    const response = await fetch(url, { ...how, headers });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') && (how.method ?? 'GET') === 'GET';
    const body = isStream ? await beginningOf(response) : await response.text();
    return { status: response.status, type: response.type, headers: Object.fromEntries(response.headers), body };
  }),
});

async function beginningOf(response) {
  const reader = response.body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}
