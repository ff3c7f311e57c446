// Debian's Chromium without a window. PAGE is the origin whose pages may call the server; a page at any other may not.
import http from 'node:http';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { clients as official } from '../official/clients.mjs';
import { situations } from './situations.mjs';
const require = createRequire(new URL('../official/package.json', import.meta.url));
const { build } = require('esbuild');
const { chromium } = require('playwright-core');

const { PAGE } = process.env;
const elsewhere = PAGE.replace('//', '//elsewhere.');

/** Starts the browser, and serves its pages. */
export async function start() {
  const { outputFiles: [script] } = await build({
    entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))], bundle: true, format: 'esm', platform: 'browser', write: false,
    logLevel: 'error',
  });
  const pages = http.createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script.contents : '<!doctype html><title>A buyer</title><script type="module" src="/page.js"></script>');
  });
  await new Promise(done => pages.listen(new URL(PAGE).port, '127.0.0.1', done));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim(),
    // Names for tests are this machine. A page on the web has TLS, without which a browser does no cryptography.
    args: ['--host-resolver-rules=MAP *.test 127.0.0.1', `--unsafely-treat-insecure-origin-as-secure=${PAGE}`],
  });
  return {
    browser,
    clients: official.map(client => ({ ...client, name: `${client.name}, in a page`, connect: connectBy(browser, client.name) })),
    pages: [
      { name: 'a page', revision: 'all', situations, ask: askBy(browser, PAGE) },
      { name: 'a page elsewhere', revision: 'all', situations, ask: askBy(browser, elsewhere) },
    ],
    stop: async () => {
      await browser.close();
      pages.close();
    },
  };
}

async function openAt(browser, origin) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  await page.waitForFunction('globalThis.ask');
  return page;
}

const connectBy = (browser, name) => async (url, { token, person }) => {
  const page = await openAt(browser, PAGE);
  const run = async (...what) => {
    const { value, error, asked = [] } = await page.evaluate(([action, ...parameters]) => globalThis[action](...parameters), what);
    person?.asked.push(...asked);
    if (error !== undefined) throw new Error(error);
    return value;
  };
  try {
    await run('openConnection', name, url, { token, signsIn: person !== undefined });
  } catch (error) {
    await page.context().close();
    throw error;
  }
  return {
    tools: () => run('listTools'),
    call: (tool, args) => run('callTool', tool, args),
    close: async () => {
      await run('closeConnection');
      await page.context().close();
    },
  };
};

const askBy = (browser, origin) => {
  let page;
  return async (url, how = {}) => {
    page ??= openAt(browser, origin);
    const { value, error } = await (await page).evaluate(what => globalThis.ask(...what), [url, how]);
    if (error !== undefined) throw new Error(error);
    return value;
  };
};
