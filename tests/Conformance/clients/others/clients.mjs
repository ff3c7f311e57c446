// The other clients, used as their documentation says. Those that pass on what a local client says are used through one.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ADCPMultiAgentClient } from '@adcp/sdk';
import { createMCPClient } from '@ai-sdk/mcp';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { MCPClient as MastraClient } from '@mastra/mcp';
import { MCPServerStreamableHttp } from '@openai/agents';
import { MCPClient as UseClient } from 'mcp-use/client';
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ofAnything, ofResult } from '../answers.mjs';

const program = path => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
const headers = token => token ? { Authorization: `Bearer ${token}` } : {};

// These send their user to sign in, and fail. What the identity provider answers is then turned into a token, and what failed is
// done again.
const signingIn = (url, person) => async action => {
  try {
    return await action();
  } catch (error) {
    const answer = person?.takeAnswer();
    if (!answer) throw error;
    await auth(person, { serverUrl: url, authorizationCode: answer.get('code') });
    return action();
  }
};

const toolOf = (tools, name) => {
  if (!tools[name]) throw new Error('(it has no such tool: it was not listed)');
  return tools[name];
};

async function aiSdk(url, { token, person }) {
  const signedIn = signingIn(url, person);
  const client = await signedIn(() => createMCPClient({ transport: { type: 'http', url, headers: headers(token), authProvider: person } }));
  let tools = {};
  const list = async () => tools = await client.tools();
  return {
    tools: async () => Object.keys(await list()),
    call: async (name, args) => {
      if (!Object.keys(tools).length) await list();
      return ofAnything(await signedIn(() => toolOf(tools, name).execute(args, { toolCallId: '1', messages: [] })));
    },
    close: () => client.close(),
  };
}

async function langchain(url, { token, person }) {
  const signedIn = signingIn(url, person);
  const client = new MultiServerMCPClient({
    mcpServers: { seller: { transport: 'http', url, headers: headers(token), ...person && { authProvider: person } } },
  });
  let tools = await signedIn(() => client.getTools());
  return {
    tools: async () => (tools = await client.getTools()).map(tool => tool.name),
    call: async (name, args) => ofAnything(await signedIn(() =>
      toolOf(Object.fromEntries(tools.map(tool => [tool.name, tool])), name).invoke(args))),
    close: () => client.close(),
  };
}

let connections = 0;

async function mastra(url, { token, person }) {
  const signedIn = signingIn(url, person);
  const client = new MastraClient({
    id: `client ${++connections}`,
    servers: { seller: { url: new URL(url), requestInit: { headers: headers(token) }, ...person && { authProvider: person } } },
  });
  const list = async () => {
    const { tools, errors } = await client.listToolsWithErrors();
    if (errors.seller) throw new Error(errors.seller);
    return tools;
  };
  let tools = await signedIn(list);
  return {
    tools: async () => Object.keys(tools = await list()),
    call: async (name, args) => ofAnything(await signedIn(() => toolOf(tools, `seller_${name}`).execute(args, {}))),
    close: () => client.disconnect(),
  };
}

async function openai(url, { token, person }) {
  const signedIn = signingIn(url, person);
  const client = new MCPServerStreamableHttp({ name: 'seller', url, requestInit: { headers: headers(token) }, authProvider: person });
  await signedIn(() => client.connect());
  return {
    tools: async () => (await client.listTools()).map(tool => tool.name),
    call: async (name, args) => ofAnything(await signedIn(() => client.callTool(name, args))),
    close: () => client.close(),
  };
}

async function mcpUse(url, { token, person }) {
  const signedIn = signingIn(url, person);
  const client = UseClient.fromDict({ mcpServers: { seller: { url, headers: headers(token), ...person && { authProvider: person } } } });
  const session = await signedIn(() => client.createSession('seller'));
  return {
    tools: async () => (await session.listTools()).map(tool => tool.name),
    call: async (name, args) => ofAnything(await signedIn(() => session.callTool(name, args))),
    close: () => client.closeAllSessions(),
  };
}

// What opens a browser finds this one: by its name, or where there is xdg-open by a variable.
const browser = fileURLToPath(new URL('browser', import.meta.url));

// A client that reaches the server through a program beside it. What the program remembers of one it must not know with another.
const through = parameters => async (url, { token, person }) => {
  const client = new Client({ name: 'buyer', version: '1.0.0' });
  const home = fs.mkdtempSync(`${process.env.HOME}/home-`);
  await client.connect(new StdioClientTransport({
    command: process.execPath, args: [...process.execArgv, ...parameters(url, token)], stderr: 'ignore',
    env: { HOME: home, PATH: `${browser}:${process.env.PATH}`, BROWSER: `${browser}/x-www-browser` },
  }));
  const asking = async answer => {
    try {
      return await answer;
    } finally {
      const opened = person && fs.existsSync(`${home}/opened`) ? fs.readFileSync(`${home}/opened`, 'utf8').trim().split('\n') : [];
      person?.asked.push(...opened.map(url => new URL(url).searchParams.get('scope')));
      if (opened.length) fs.rmSync(`${home}/opened`);
    }
  };
  return {
    tools: async () => (await asking(client.listTools())).tools.map(tool => tool.name),
    call: async (name, args) => ofResult(await asking(client.callTool({ name, arguments: args }))),
    close: () => client.close(),
  };
};

const mcpRemote = through((url, token) => [
  program('mcp-remote/dist/proxy.js'), url, '--allow-http', '--transport', 'http-only',
  ...token ? ['--header', `Authorization:Bearer ${token}`] : [],
]);

const supergateway = through((url, token) => [
  program('supergateway/dist/index.js'), '--streamableHttp', url, ...token ? ['--header', `Authorization: Bearer ${token}`] : [],
]);

// Each call is a program of its own, which connects anew.
async function inspector(url, { token }) {
  const run = async (...parameters) => {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [
        program('@modelcontextprotocol/inspector/clients/launcher/build/index.js'), '--cli', url, '--transport', 'http',
        ...token ? ['--header', `Authorization: Bearer ${token}`] : [], ...parameters,
      ]);
      return JSON.parse(stdout);
    } catch (error) {
      // This run has it keep its secrets in memory, of which it speaks, and its users do not.
      const stderr = error.stderr?.replace(/^\[mcp-inspector\] .*\n?/gm, '');
      throw new Error([error.stdout, stderr].join('\n').trim() || error.message);
    }
  };
  return {
    tools: async () => (await run('--method', 'tools/list')).tools.map(tool => tool.name),
    call: async (name, args) => ofResult(await run('--method', 'tools/call', '--tool-name', name, ...Object.entries(args).flatMap(
      ([key, value]) => ['--tool-arg', `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`]))),
    close: async () => {},
  };
}

// It has a method for each task of AdCP, and one for those that it does not know.
async function adcp(url, { token }) {
  const agent = { id: 'seller', name: 'seller', agent_uri: url, protocol: 'mcp', ...token && { auth_token: token } };
  const client = new ADCPMultiAgentClient([agent]).agent('seller');
  const methods = {
    get_products: 'getProducts', sync_accounts: 'syncAccounts', create_media_buy: 'createMediaBuy', get_media_buys: 'getMediaBuys',
  };
  return {
    tools: async () => (await client.getAgentInfo()).tools.map(tool => tool.name),
    call: async (name, args) => {
      const method = methods[name];
      const { success, data, error } = await (method ? client[method](args) : client.executeTask(name, args));
      if (!success) throw new Error(error);
      return ofAnything(data);
    },
    close: async () => {},
  };
}

export const clients = [
  { name: 'ai-sdk', revision: '2026-07-28', signsIn: true, connect: aiSdk },
  { name: 'langchain', revision: '2025-11-25', signsIn: true, connect: langchain },
  { name: 'mastra', revision: '2026-07-28', signsIn: true, connect: mastra },
  { name: 'openai', revision: '2026-07-28', signsIn: true, connect: openai },
  { name: 'mcp-use', revision: '2025-11-25', signsIn: true, connect: mcpUse },
  { name: 'mcp-remote', revision: '2025-11-25', signsIn: true, patience: 90, connect: mcpRemote },
  { name: 'supergateway', revision: '2025-11-25', connect: supergateway },
  { name: 'inspector', revision: '2025-11-25', patience: 90, connect: inspector },
  { name: 'adcp', revision: '2025-11-25', connect: adcp },
];
