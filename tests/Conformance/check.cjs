// Runs AdCP's official checker against tenants of the server at SERVER, each run with a fresh tenant, while other tenants are busy; and
// against the tenants of REPLICATED at all servers of REPLICAS in turn.
const { execFile } = require('child_process');
const fs = require('fs');
const path = require('path');
const { comply } = require(path.join(__dirname, 'node_modules/@adcp/sdk/dist/lib/testing/compliance'));
const { createTenant } = require('./server.cjs');
const { add, end } = require('./table.cjs');
const load = require('./load.cjs');

const universal = [
  'capability_discovery', 'v3_envelope_integrity', 'schema_validation', 'error_compliance', 'idempotency', 'security_baseline',
];
const fuzzTools = 'get_adcp_capabilities,get_products,list_creative_formats,list_creatives,get_media_buys,get_media_buy_delivery';
const checker = path.join(__dirname, 'node_modules/@adcp/sdk/bin/adcp.js');
let tenants = 0;

// The checker runs these although the agent's capabilities do not claim what they test. They are shown and not counted.
const notClaimed = {
  signed_requests: 'the agent declares no request_signing',
  'media_buy_seller/proposal_finalize': 'the agent makes no proposals',
  'media_buy_seller/create_media_buy_async': 'the controller lists no force_create_media_buy_arm',
  pagination_integrity: 'it names an account_id that nobody can open: ACCOUNT_NOT_FOUND is the right answer',
  pagination_integrity_creative_formats: 'it names an account that nobody can open, and the controller adds no formats',
  pagination_integrity_list_accounts: 'it needs an account for each brand: run by itself above',
};

// Why the checker leaves steps out, by the scenario that they belong to. One that is left out for no reason of these is a failure.
const webhooks = 'the agent claims no webhooks, and sends none';
const sessions = 'it begins with a chat session, which a seller has not';
const notTested = {
  'idempotency/replay_same_payload': webhooks,
  webhook_emission: webhooks,
  'deterministic_testing/deterministic_session': sessions,
  'deterministic_testing/deterministic_delivery': `${sessions}; sales-non-guaranteed simulates delivery, too`,
  'deterministic_testing/deterministic_budget': sessions,
  'media_buy_seller/governance_': 'the agent claims no governance',
  pagination_integrity_collection_lists: 'the agent claims no governance',
  pagination_integrity_content_standards: 'the agent claims no governance',
  pagination_integrity_property_lists: 'the agent claims no governance',
  get_signals_pagination_integrity: 'the agent claims no signals',
  'creative_sales_agent/preview': 'the agent previews no creatives',
  ...notClaimed,
};

// What the checker leaves out and does not show in its report.
const notShown = {
  security_baseline: [3, 'OAuth is the other of two ways: this tenant takes keys'],
  signed_requests: [1, notClaimed.signed_requests],
};

const reasonOf = scenario =>
  Object.entries(notTested).find(([id]) => scenario === id || scenario.startsWith(id.endsWith('_') ? id : `${id}/`))?.[1];

function explainSkips(result) {
  const reasons = {};
  const unexplained = [];
  let count = 0;
  const scenarios = result.tracks.flatMap(track => track.scenarios ?? []);
  for (const { scenario, steps } of scenarios) for (const step of (steps ?? []).filter(step => step.skipped)) {
    count++;
    const reason = reasonOf(scenario);
    const told = step.skip?.reason ?? step.skip_reason ?? step.warnings?.[0];
    if (reason) (reasons[reason] ??= []).push(`${scenario}: ${step.step}`);
    else unexplained.push(`${scenario}: ${step.step} was left out, and nobody says why: ${told}`);
  }
  for (const [id, [steps, reason]] of Object.entries(notShown)) if (result.storyboards_executed.includes(id)) {
    count += steps;
    (reasons[reason] ??= []).push(...Array(steps).fill(id));
  }
  if (count !== result.summary.steps_skipped)
    unexplained.push(`${result.summary.steps_skipped} steps were left out, and ${count} are known`);
  return { reasons, unexplained };
}

async function storyboards(title, ids, { byHost = false, platform = 'publisher', expected } = {}) {
  const tenant = await createTenant(`run-${++tenants}`, platform);
  const result = await comply(byHost ? tenant.hostUrl : tenant.url, {
    ...(ids && { storyboards: ids }), allow_http: true, protocol: 'mcp', timeout_ms: 300000,
    auth: { type: 'bearer', token: tenant.token },
    test_kit: { auth: { api_key: tenant.token, probe_task: 'list_creatives' } },
  });
  const { steps_passed: passed, steps_failed, steps_skipped: skipped } = result.summary;
  const unclaimed = (result.failures ?? []).filter(failure => !ids && failure.storyboard_id in notClaimed);
  const failed = steps_failed - unclaimed.length;
  const { reasons, unexplained } = explainSkips(result);
  const notes = (result.failures ?? []).filter(failure => !unclaimed.includes(failure)).map(failure =>
    `${failure.storyboard_id}/${failure.step_id}: ${failure.error ?? JSON.stringify(failure.validation)?.slice(0, 300)}`);
  notes.push(...unexplained);
  for (const failure of unclaimed) (reasons[notClaimed[failure.storyboard_id]] ??= []).push(`${failure.storyboard_id}/${failure.step_id}`);
  if (process.env.REPORTS) fs.writeFileSync(path.join(process.env.REPORTS, `${tenants}.json`), JSON.stringify(result, null, 1));
  if (expected && passed !== expected) notes.push(`${expected} steps have to pass, ${passed} did`);
  add(title, passed, Math.max(failed, notes.length > 0 ? 1 : 0, passed === 0 ? 1 : 0), skipped + unclaimed.length, notes, reasons);
}

// As anybody runs it: by the checker's own command, at a tenant at which nothing is prepared.
async function asAnybody({ platform, byHost }) {
  const tenant = await createTenant(`run-${++tenants}`, platform);
  const { stdout, stderr } = await runChecker('-r', path.join(__dirname, 'clock.cjs'), '-r', path.join(__dirname, 'hosts.cjs'), checker,
    'storyboard', 'run', byHost ? tenant.hostUrl : tenant.url, 'sales-non-guaranteed', '--auth', tenant.token, '--allow-http', '--json');
  if (process.env.REPORTS) fs.writeFileSync(path.join(process.env.REPORTS, `${tenants}.json`), stdout);
  const title = `sales-non-guaranteed, ${platform} by ${byHost ? 'host' : 'path'}`;
  let result;
  try { result = JSON.parse(stdout); } catch { return add(title, 0, 1, 0, [stderr.slice(-500), stdout.slice(0, 500)]); }
  const { steps_passed: passed, steps_failed: failed, steps_skipped: skipped } = result.summary;
  const notes = passed === 37 && !failed && !skipped ? [] : ['37 steps have to pass, and none to be left out'];
  notes.push(...(result.failures ?? []).map(failure =>
    `${failure.storyboard_id}/${failure.step_id}: ${failure.error ?? JSON.stringify(failure.validation)?.slice(0, 300)}`));
  add(title, passed, Math.max(failed, notes.length), skipped, notes);
}

// Each step goes to another server than the one before: what one writes the other has to know.
async function replicated({ platform, id, token }) {
  const urls = process.env.REPLICAS.split(' ').map(server => `${server}/${id}/mcp`);
  const { stdout, stderr } = await runChecker('-r', path.join(__dirname, 'clock.cjs'), checker, 'storyboard', 'run',
    ...urls.flatMap(url => ['--url', url]), 'sales_non_guaranteed', '--auth', token, '--allow-http', '--json');
  const title = `${urls.length} servers in turn, ${platform}`;
  let result;
  try { result = JSON.parse(stdout); } catch { return add(title, 0, 1, 0, [stderr.slice(-500), stdout.slice(0, 500)]); }
  const steps = result.phases.flatMap(phase => phase.steps);
  const passed = steps.filter(step => step.passed && !step.skipped).length;
  const notes = steps.filter(step => !step.passed || step.skipped).map(step =>
    `${step.step_id}: ${step.error ?? step.skip?.detail ?? 'left out'}`);
  for (const url of urls) if (!steps.some(step => step.agent_url === url)) notes.push(`nothing was asked of ${url}`);
  if (passed !== 10) notes.push(`10 steps have to pass, ${passed} did`);
  add(title, passed, notes.length, 0, notes);
}

const runChecker = (...parameters) => new Promise(done => execFile(process.execPath, parameters, { maxBuffer: 1 << 28 },
  (error, stdout, stderr) => done({ code: error ? error.code ?? 1 : 0, stdout, stderr })));

async function fuzz(seed) {
  const tenant = await createTenant(`fuzz-${seed}`);
  const other = await createTenant(`fuzz-${seed}-other`);
  const { code, stdout, stderr } = await runChecker(checker, 'fuzz', tenant.url, '--seed', String(seed), '--turn-budget', '50',
    '--tools', fuzzTools, '--auto-seed',
    '--auth-token', tenant.token, '--auth-token-cross-tenant', other.token, '--format', 'json');
  let report;
  try { report = JSON.parse(stdout); } catch { return add(`fuzz, seed ${seed}`, 0, 1, 0, [stderr.slice(-500), stdout.slice(0, 500)]); }
  const notes = (report.failures ?? []).map(failure => JSON.stringify(failure).slice(0, 400));
  const unanswered = fuzzTools.split(',').filter(tool => !report.perTool?.[tool]?.accepted).map(tool => `${tool} accepted nothing`);
  const failed = notes.length + unanswered.length || (code ? 1 : 0);
  add(`fuzz, seed ${seed}`, (report.totalRuns ?? 0) - notes.length, failed, 0, [...notes, ...unanswered]);
}

async function main() {
  console.warn = console.debug = () => {};
  const stop = await load.start();
  for (const platform of ['publisher', 'retailer']) for (const byHost of [false, true]) await asAnybody({ platform, byHost });
  for (const tenant of JSON.parse(fs.readFileSync(process.env.REPLICATED, 'utf8'))) await replicated(tenant);
  for (const id of universal) await storyboards(id, [id]);
  await storyboards('pagination of list_accounts', ['pagination_integrity_list_accounts']);
  await storyboards('everything that the agent claims', undefined);
  for (const seed of [42, 1, 7]) await fuzz(seed);
  const { good, bad } = await stop();
  console.log(`other tenants had ${good} right answers meanwhile`);
  add('other tenants meanwhile', good > 0 ? 1 : 0, bad.length, 0, bad.slice(0, 5));
  end();
}

main().catch(error => { console.error(error); process.exit(1); });
