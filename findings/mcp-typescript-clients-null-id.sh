#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 and @modelcontextprotocol/client 2.4.0 on Node: an error whose id is null.
#
# JSON-RPC 2.0 (section 5): where the id of a request could not be detected, such as in a body that is not JSON, the error's id "MUST be
# Null". One would guess that a client of a JSON-RPC protocol reads such an error. The schemas by which these clients read every message
# refuse it, and take the same error without an id, which MCP 2025-11-25 and later allow. So a refusal that keeps to JSON-RPC is one that no
# user can read, and whoever refuses a request before its body is read leaves the id out.
#
# It needs Node 20 or later and npm. It fails where the behaviour is another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --no-audit --no-fund --loglevel=error --ignore-scripts \
  @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >install.log 2>&1 || { cat install.log; exit 1; }

cat >null.mjs <<'PROGRAM'
import http from 'node:http';
import { once } from 'node:events';
import * as v1 from '@modelcontextprotocol/sdk/client/index.js';
import * as v1http from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as v2 from '@modelcontextprotocol/client';

// Answers all with one error, in a response that is JSON and in itself nothing to object to.
let id;
const server = http.createServer((_, response) => response.writeHead(200, { 'Content-Type': 'application/json' })
  .end(JSON.stringify({ jsonrpc: '2.0', ...id, error: { code: -32700, message: 'This is not JSON.' } }))).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = new URL(`http://127.0.0.1:${server.address().port}/mcp`);

let isChanged = false;
for (const [name, Client, Transport] of [
  ['@modelcontextprotocol/sdk 1.32.2', v1.Client, v1http.StreamableHTTPClientTransport],
  ['@modelcontextprotocol/client 2.4.0', v2.Client, v2.StreamableHTTPClientTransport],
]) {
  for (const [what, given, isRead] of [['"id": null', { id: null }, false], ['no id', {}, true]]) {
    id = given;
    // The transport by itself: it reads the message, and gives it to whoever listens.
    const transport = new Transport(url);
    let message;
    transport.onmessage = read => { message = read; };
    await transport.start();
    const error = await transport.send({ jsonrpc: '2.0', id: 1, method: 'ping' }).then(() => undefined, thrown => thrown);
    console.log(`${name}, ${what}: ${message ? `read: ${message.error.message}` : `refused: ${error?.name}`}`);
    isChanged ||= isRead !== (message !== undefined);
  }
  console.log('  expected, by JSON-RPC: both are read');
}
process.exit(isChanged ? 1 : 0);
PROGRAM
node null.mjs
