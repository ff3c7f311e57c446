// Puts real clients into situations at the server at SERVER, and compares what their users see with the table. Whoever reads its
// descriptor 3 stops and starts the server. The official clients run in pages of a browser, too. With "all" it runs all others. UPDATE=1
// writes the table anew.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { situations, restart } from './situations.mjs';
import { Cells, unnamed } from './cells.mjs';
import { clients as official } from './official/clients.mjs';
import { start } from './browser/browser.mjs';
import { inspectorsIn } from './inspectors/inspectors.mjs';
const require = createRequire(import.meta.url);
const { add, end } = require('../table.cjs');

const isAll = process.argv[2] === 'all';
const browser = await start();
const others = isAll ? (await import('./others/clients.mjs')).clients : [];
const inspectors = inspectorsIn(browser.browser).filter(inspector => isAll || inspector.isInGate);
const clients = [...official, ...browser.clients, ...others, ...browser.pages, ...inspectors];
const cells = new Cells();

// What differs from run to run: addresses, the ids of tenants, which of its requests a client makes, and for how long it has to wait. Some
// clients add where in their own code it was: no user needs it.
const { origin, host, port } = new URL(process.env.SERVER);
const normalise = text => text
  .replaceAll(origin, 'http://server').replaceAll(host, 'server').replaceAll(`:${port}`, '').replaceAll(process.env.ISSUER, 'http://issuer')
  .replace(/acme-\d+(-[a-z]+)*/g, 'acme').replace(/\n +at .*?(?=\n|$| \(HTTP)/g, '')
  .replace(/"id":\d+/g, '"id":NUMBER').replace(/retry_after(\\?)":\d+/g, 'retry_after$1":SECONDS')
  .replace(/retry after \d\w+/g, 'retry after TIME').replace(/try again in (a second|\d+ seconds)/g, 'try again in TIME');

const within = (seconds, action) => Promise.race([
  action(),
  new Promise((_, fail) => setTimeout(() => fail(new Error(`nothing in ${seconds} seconds`)), seconds * 1000).unref()),
]);

/** Takes down what the user of a client sees: what the action gives, or the text of its error. */
const seeFor = client => async (situation, action) => {
  let text;
  try {
    text = await within(client.patience ?? 30, action);
  } catch (error) {
    text = `error: ${error.message}`;
  }
  cells.set(situation, client.name, normalise(text));
};

async function isReady() {
  return (await fetch(`${process.env.SERVER}/health/ready`)).ok;
}

async function isGone() {
  return isReady().then(() => false, error => error.cause?.code === 'ECONNREFUSED');
}

async function wish(what, isDone) {
  fs.writeSync(3, `${what}\n`);
  for (const end = Date.now() + 60000; !await isDone().catch(() => false);) {
    if (Date.now() > end) throw new Error(`The server did not ${what}.`);
    await new Promise(done => setTimeout(done, 50));
  }
}

async function run({ client, id, see }) {
  for (const situation of client.situations ?? situations) {
    const name = situation.name.replace(/[A-Z]/g, capital => `-${capital.toLowerCase()}`);
    try {
      await situation({ client, id: `${id}-${name}`, see });
    } catch (error) {
      broken.push(`${client.name}, ${name}: ${error.stack}`);
    }
  }
}

// Nothing that clients say by the way belongs to the answer of this run.
const log = console.log;
console.log = console.info = console.warn = console.error = console.debug = () => {};
const running = clients.map((client, index) => ({ client, id: `acme-${index}`, see: seeFor(client) }));
const broken = [];
const waiting = [...running];
const atOnce = Array.from({ length: 3 }, async () => {
  for (let next; next = waiting.shift();) await run(next);
});
await Promise.all(atOnce);
const restarting = running.filter(({ client }) => !client.situations).map(({ client, id, see }) => ({ client, id: `${id}-restart`, see }));
await restart(restarting, () => wish('stop', isGone), () => wish('start', isReady));
await browser.stop();
console.log = log;

if (process.env.UPDATE) cells.write(clients.map(client => client.name));
for (const client of clients) {
  const { equal, notes } = cells.compare(client.name);
  add(`${client.name}, ${client.revision}`, equal, notes.length, 0, notes);
}
const versions = ['official', 'inspectors', ...isAll ? ['others'] : []].flatMap(folder => unnamed(require(`./${folder}/package.json`)));
add('versions', versions.length ? 0 : 1, versions.length, 0, versions);
if (broken.length) add('situations that broke off', 0, broken.length, 0, broken);
end();
