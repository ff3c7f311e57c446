#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 and @modelcontextprotocol/client 2.4.0 on Node: what they do when their session is gone.
#
# MCP 2025-11-25 (transports, session management): a client that gets 404 for a request with a session "MUST start a new session by sending
# a new InitializeRequest". One would guess that the official clients do, so that a server may forget sessions whenever it has to: after a
# restart, or when there are too many. Neither does. The call fails with the text of the 404, and so does every later one of that client.
# Whoever serves long-lived clients keeps their sessions over restarts and short outages, and ends one only when it has to.
#
# It needs Node 20 or later and npm. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --no-audit --no-fund --loglevel=error --ignore-scripts \
  @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >install.log 2>&1 || { cat install.log; exit 1; }

cat >lost.mjs <<'PROGRAM'
import http from 'node:http';
import { once } from 'node:events';
import * as v1 from '@modelcontextprotocol/sdk/client/index.js';
import * as v1http from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as v2 from '@modelcontextprotocol/client';

// A server that knows one session at a time, and has one tool.
let session, begun = 0;
const answers = {
  initialize: () => {
    session = `session-${++begun}`;
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'server', version: '1' } };
  },
  'tools/call': () => ({ content: [{ type: 'text', text: 'done' }] }),
};
const server = http.createServer(async (request, response) => {
  if (request.method !== 'POST') return response.writeHead(405).end();
  let body = '';
  for await (const part of request) body += part;
  const { id, method } = JSON.parse(body);
  if (method !== 'initialize' && request.headers['mcp-session-id'] !== session) return response.writeHead(404).end('Session not found');
  if (id === undefined) return response.writeHead(202).end();
  const result = answers[method]();
  response.writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': session })
    .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = new URL(`http://127.0.0.1:${server.address().port}/mcp`);

let isChanged = false;
for (const [name, Client, Transport] of [
  ['@modelcontextprotocol/sdk 1.32.2', v1.Client, v1http.StreamableHTTPClientTransport],
  ['@modelcontextprotocol/client 2.4.0', v2.Client, v2.StreamableHTTPClientTransport],
]) {
  begun = 0;
  const client = new Client({ name: 'client', version: '1' });
  await client.connect(new Transport(url));
  const call = () => client.callTool({ name: 'work', arguments: {} })
    .then(result => result.content[0].text, error => `failed: ${error.message}`);
  const before = await call();
  session = undefined;
  const after = [await call(), await call()];
  console.log(`${name}: before: ${before}; without its session: ${after.join('; then: ')}; initialize was sent ${begun} time(s)`);
  console.log('  expected, by MCP: initialize is sent twice, and the call is done');
  isChanged ||= before !== 'done' || begun !== 1 || after.some(text => !text.startsWith('failed'));
}
process.exit(isChanged ? 1 : 0);
PROGRAM
node lost.mjs
