// MCP Inspector, as a person uses its page. Version 2 speaks to servers through the program behind the page; version 1 also directly from
// the page.
import { spawn } from 'node:child_process';
import net from 'node:net';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Seller, server } from '../seller.mjs';

// It needs Node 22.
const node = process.env.NEWER_NODE;
const program = path => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
const patience = 30000;

const freePort = () => new Promise(done => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

/** Starts the program behind the page, and gives the address of the page, in which there is a token for it. */
async function start(script, parameters, environment, address) {
  const child = spawn(node, [script, ...parameters], {
    // It starts others, by the name of node.
    env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}`, MCP_AUTO_OPEN_ENABLED: 'false', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'], detached: true,
  });
  const stop = () => process.kill(-child.pid);
  process.once('exit', () => child.exitCode ?? child.signalCode ?? stop());
  let said = '';
  const url = await new Promise((done, fail) => {
    for (const output of [child.stdout, child.stderr]) output.on('data', data => {
      said += data;
      const [found] = said.match(address) ?? [];
      if (found) done(found);
    });
    child.once('exit', () => fail(new Error(said)));
  });
  return { url, stop };
}

/** What of several things shows first. */
const first = (...waits) =>
  Promise.any(waits.map(([place, meaning]) => place.first().waitFor({ timeout: patience }).then(() => meaning)));

const textBelow = async title => (await title.locator('..').innerText()).replace(/.*\n/, '');

const start2 = protocolEra => async servers => {
  const config = `${process.env.HOME}/inspector-${protocolEra}.json`;
  const entry = ({ url, token }) => ({
    type: 'streamable-http', url, protocolEra, headers: token ? { Authorization: `Bearer ${token}` } : {},
  });
  fs.writeFileSync(config, JSON.stringify({
    mcpServers: Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, entry(server)])),
  }));
  const { url, stop } = await start(
    program('@modelcontextprotocol/inspector/clients/launcher/build/index.js'), ['--web', '--config', config],
    { CLIENT_PORT: await freePort(), MCP_SANDBOX_PORT: 0 }, /http:\/\/\S+API_TOKEN=\w+/);
  const look = async (page, name) => {
    await page.goto(url);
    await page.getByLabel(`Connect or disconnect "${name}"`).click({ force: true });
    const failure = page.getByText('Failed to connect to');
    if (await first([page.getByLabel('Disconnect from server'), 'connected'], [failure, 'failed']) === 'failed')
      throw new Error(await textBelow(failure));
    // Whoever has signed in is led back to the servers, even somewhat later.
    const tools = page.getByText(/^Tools \(\d+\)$/);
    for (let isThere = false; !isThere;) {
      await page.getByText('Tools', { exact: true }).first().click();
      isThere = await tools.waitFor({ timeout: 3000 }).then(() => true, () => false);
    }
    const count = (await tools.innerText()).replace(/\D/g, '');
    await page.getByText('get_adcp_capabilities', { exact: true }).first().click();
    await page.getByRole('button', { name: 'Execute Tool' }).click();
    await page.getByText('"completed"').first().waitFor();
    return count;
  };
  return { look, stop };
};

const start1 = way => async servers => {
  const { url, stop } = await start(
    program('inspector-1/cli/build/cli.js'), [], { CLIENT_PORT: await freePort(), SERVER_PORT: await freePort() },
    /http:\/\/\S+AUTH_TOKEN=\w+/);
  const connect = async (page, { url: serverUrl, token }) => {
    await page.goto(`${url}&${new URLSearchParams({ transport: 'streamable-http', serverUrl })}`);
    await page.getByRole('combobox').filter({ hasText: /^(Via Proxy|Direct)$/ }).click();
    await page.getByRole('option', { name: way }).click();
    if (token) {
      await page.getByTestId('auth-button').click();
      await page.getByTestId('header-name-input-0').fill('Authorization');
      await page.getByTestId('header-value-input-0').fill(`Bearer ${token}`);
      await page.getByRole('switch').first().click();
    }
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    const list = page.getByRole('button', { name: 'List Tools' });
    const failure = page.getByText(/^Connection error$|^OAuth Authentication Failed$/);
    const what = await first(
      [list, 'connected'], [failure, 'failed'], [page.getByText('Connect again from the sidebar'), 'signed in']);
    if (what === 'failed') throw new Error(await textBelow(failure));
    return what === 'connected' ? list : undefined;
  };
  const look = async (page, name) => {
    // Whoever has signed in has to connect again.
    const list = await connect(page, servers[name]) ?? await connect(page, servers[name]);
    await list.click();
    const tool = page.getByText('get_adcp_capabilities', { exact: true }).first();
    await tool.waitFor();
    // By their names: the list may show one twice for a moment, after somebody has signed in. Whether the sign-in asked for the scope of a
    // tool, which is in the list then, differs from run to run.
    const tools = tool.locator('xpath=ancestor::div[contains(@class, "cursor-pointer")][1]/../*[contains(@class, "cursor-pointer")]');
    const names = new Set((await tools.allInnerTexts()).map(text => text.split('\n')[0]));
    names.delete('close_ledger');
    await tool.click();
    await page.getByRole('button', { name: 'Run Tool' }).click();
    await page.getByText('Tool Result: Success').first().waitFor();
    return names.size;
  };
  return { look, stop };
};

/** What somebody does who has just made a server, and looks at it. */
async function looks({ client: { startFor }, id, see }) {
  const seller = await Seller.withTokens(id);
  const signIn = await Seller.withSignIn(`${id}-sign-in`);
  const ways = {
    'connects with a token': seller,
    'connects without a token': { url: seller.url },
    'connects with a wrong token': { url: seller.url, token: `${id}.wrong` },
    'connects to a tenant that does not exist': { url: `${server}/nobody/mcp` },
    'signs in': { url: signIn.url },
  };
  const { look, stop } = await startFor(ways);
  try {
    for (const way of Object.keys(ways))
      await see(`MCP Inspector ${way}`, async () => `${await look(way)} tools; get_adcp_capabilities answers`);
  } finally {
    stop();
  }
}

export const inspectorsIn = browser => [
  { name: 'inspector, its page', revision: '2025-11-25', isInGate: true, startFor: start2('legacy') },
  { name: 'inspector, its page, modern', revision: '2026-07-28', startFor: start2('modern') },
  { name: 'inspector 1.x, its page, direct', revision: '2025-11-25', isInGate: true, startFor: start1('Direct') },
  { name: 'inspector 1.x, its page, by its proxy', revision: '2025-11-25', startFor: start1('Via Proxy') },
].map(({ startFor, ...about }) => ({
  ...about, situations: [looks], patience: 90,
  startFor: async servers => {
    const { look, stop } = await startFor(servers);
    return {
      stop,
      look: async way => {
        const context = await browser.newContext();
        try {
          const page = await context.newPage();
          page.setDefaultTimeout(patience);
          return await look(page, way);
        } finally {
          await context.close();
        }
      },
    };
  },
}));
