// What a person at the server would do: makes tenants, and calls their tools.
const base = process.env.SERVER;
const adminKey = process.env.ADMIN_KEY;
let calls = 0;

async function register(tenant) {
  const response = await fetch(`${base}/admin/tenants?wait=true`, {
    method: 'POST', headers: { 'X-Admin-API-Key': adminKey, 'Content-Type': 'application/json' }, body: JSON.stringify(tenant),
  });
  const answer = await response.json();
  if (!response.ok || answer.health !== 'healthy') throw new Error(`tenant ${tenant.id}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

async function createTenant(id, platform = 'publisher', settings = {}) {
  const tenant = await register({ id, platform, settings, limits: { rateLimit: 1000000 }, principals: [{ name: 'checker' }] });
  const hostUrl = `http://${id}.example.test:${new URL(base).port}/mcp`;
  return { id, url: `${base}/${id}/mcp`, hostUrl, token: tenant.principals[0].token };
}

async function call(tenant, tool, args = {}) {
  const response = await fetch(tenant.url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tenant.token}`, 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++calls, method: 'tools/call', params: { name: tool, arguments: args } }),
  });
  const answer = await response.json();
  if (!response.ok || answer.result?.isError !== false && answer.result?.isError)
    throw new Error(`${tool} at ${tenant.id}: ${response.status} ${JSON.stringify(answer)}`);
  return answer.result.structuredContent;
}

const key = () => `conformance-${process.pid}-${Math.random().toString(36).slice(2)}-${++calls}`;

async function openAccount(tenant) {
  await call(tenant, 'sync_accounts', {
    idempotency_key: key(),
    accounts: [{ brand: { domain: 'acmeoutdoor.example' }, operator: 'pinnacle-agency.example', billing: 'operator' }],
  });
}

module.exports = { register, createTenant, call, openAccount, key };
