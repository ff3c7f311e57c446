// What a page does by the browser's own fetch, and what it can read of the answers. A page elsewhere does the same, and reads nothing.
import { Seller, server } from '../seller.mjs';

const modern = '2026-07-28';
const json = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };

const rpc = (method, params, { token, headers } = {}) => ({
  method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  headers: { ...json, ...token && { Authorization: `Bearer ${token}` }, ...headers },
});

const call = (name, args, how) => rpc('tools/call', { name, arguments: args }, how);

// As 2026-07-28 has it: each message says its revision, and headers repeat what proxies want to know.
const modernCall = (name, args, { token, headers }) => rpc('tools/call', {
  name, arguments: args,
  _meta: {
    'io.modelcontextprotocol/protocolVersion': modern, 'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'a page', version: '1.0.0' },
  },
}, { token, headers: { 'MCP-Protocol-Version': modern, 'Mcp-Method': 'tools/call', 'Mcp-Name': name, ...headers } });

const readable = ['www-authenticate', 'retry-after', 'ratelimit-policy'];
const messageOf = body => {
  try {
    const { error, error_description, detail, result } = JSON.parse(body.replace(/^event:.*\ndata: /, ''));
    return error_description ?? error?.message ?? detail ?? result?.content?.[0].text ?? body;
  } catch {
    return body;
  }
};

/** What there is to read: the status, what stands in headers, and the text for a person. */
const told = ({ status, headers, body }) =>
  [status, ...readable.filter(name => headers[name]).map(name => `${name}: ${headers[name]}`), messageOf(body)].join('; ')
    .replace(/retry-after: \d+/, 'retry-after: SECONDS');

export const situations = [
  async function calls({ client: { ask }, id, see }) {
    const seller = await Seller.withTokens(id);
    await see('a page calls a tool', async () => {
      const answer = await ask(seller.url, call('get_adcp_capabilities', {}, seller));
      return `${answer.status}; it reads ${['ratelimit', 'ratelimit-policy'].filter(name => answer.headers[name]).join(' and ')}`;
    });
    await see('a page calls a tool of which a parameter is a header', async () =>
      told(await ask(seller.url, modernCall('read_ledger', { region: 'north' }, { ...seller, headers: { 'Mcp-Param-Region': 'north' } }))));
    await see('a page leaves that header out', async () =>
      told(await ask(seller.url, modernCall('read_ledger', { region: 'north' }, seller))));
    await see('a page passes on what traces a request', async () => told(await ask(seller.url, call('read_ledger', { region: 'south' }, {
      ...seller, headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b', baggage: 'c=d' },
    }))));
    await see('a page names the tenant by a header', async () =>
      told(await ask(`${server}/mcp`, call('read_ledger', { region: 'south' }, { ...seller, headers: { 'X-Tenant-ID': seller.id } }))));
    await see('a page calls without asking first', async () => {
      await ask(seller.url, { ...call('read_ledger', { region: 'south' }), mode: 'no-cors', headers: { 'Content-Type': 'text/plain' } });
      return 'it is not told what became of it';
    });
  },

  async function session({ client: { ask }, id, see }) {
    const seller = await Seller.withTokens(id);
    let headers;
    await see('a page begins a session', async () => {
      const about = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a page', version: '1.0.0' } };
      const answer = await ask(seller.url, rpc('initialize', about, seller));
      headers = { 'Mcp-Session-Id': answer.headers['mcp-session-id'], 'MCP-Protocol-Version': '2025-11-25' };
      return `${answer.status}; it ${headers['Mcp-Session-Id'] ? 'reads' : 'does not read'} the session's id`;
    });
    headers ??= { 'Mcp-Session-Id': 'unknown', 'MCP-Protocol-Version': '2025-11-25' };
    const inSession = { ...seller, headers };
    await see('a page calls in its session', async () => told(await ask(seller.url, call('read_ledger', { region: 'west' }, inSession))));
    const stream = { method: 'GET', headers: { ...headers, Accept: 'text/event-stream', Authorization: `Bearer ${seller.token}` } };
    await see('a page opens the stream of its session', async () => {
      const { status, body } = await ask(seller.url, stream);
      return `${status}; it begins with ${JSON.stringify(body)}`;
    });
    await see('a page opens that stream again', async () => `${(await ask(seller.url, stream)).status}`);
    await see('a page ends its session', async () => `${(await ask(seller.url, { ...stream, method: 'DELETE' })).status}`);
    await see('a page calls in a session that has ended', async () =>
      told(await ask(seller.url, call('read_ledger', { region: 'west' }, inSession))));
  },

  async function refusals({ client: { ask }, id, see }) {
    const seller = await Seller.withTokens(id);
    const signIn = await Seller.withSignIn(`${id}-oauth`);
    const asks = (title, url, how) => see(`a page reads why it is refused: ${title}`, async () => told(await ask(url, how)));
    const ledger = how => call('read_ledger', { region: 'east' }, how);
    await asks('no token', seller.url, ledger());
    await asks('no token, where it can sign in', signIn.url, ledger());
    await asks('a wrong token', seller.url, ledger({ token: `${seller.id}.wrong` }));
    await asks('a scope is missing', seller.url, call('close_ledger', {}, seller));
    await asks('there is no such tenant', `${server}/nobody/mcp`, ledger(seller));
    await asks('no tenant is named', `${server}/mcp`, ledger());
    await asks('two tenants are named', seller.url, ledger({ ...seller, headers: { 'X-Tenant-ID': 'another' } }));
    await asks('a GET without a session', seller.url, { headers: { Accept: 'text/event-stream' } });
    await asks('its body is no JSON', seller.url, { ...ledger(seller), body: '{' });
    await asks('its content is of another kind', seller.url, ledger({ ...seller, headers: { 'Content-Type': 'text/plain' } }));
    await asks('it reads no form of the answer', seller.url, ledger({ ...seller, headers: { Accept: 'image/png' } }));
    await asks('its body is too large', seller.url, { ...ledger(seller), body: ' '.repeat(5_000_000) });
    await seller.change({ limits: { rateLimit: 1 } });
    await see('a page reads why it is refused: too many requests', async () => {
      for (let tries = 1; ; tries++) {
        const answer = await ask(seller.url, ledger(seller));
        if (answer.status !== 200 || tries === 20) return told(answer);
      }
    });
    await seller.change({ status: 'suspended' });
    await asks('its tenant is suspended', seller.url, ledger(seller));
  },

  async function discovery({ client: { ask }, id, see }) {
    const { url, id: name } = await Seller.withSignIn(id);
    const asks = (title, where, how) => see(`a page looks for OAuth: ${title}`, async () => {
      const { status, body } = await ask(where, how);
      return `${status}; ${messageOf(body)}`;
    });
    const headers = { 'MCP-Protocol-Version': modern };
    await asks('metadata of the resource', `${server}/.well-known/oauth-protected-resource/${name}/mcp`, { headers });
    await asks('metadata of the resource, below its URL', `${url}/.well-known/oauth-protected-resource`, { headers });
    await asks('metadata of an authorization server', `${server}/.well-known/oauth-authorization-server/${name}/mcp`, { headers });
    await asks('registers here', `${server}/register`, { method: 'POST', headers: { ...headers, ...json }, body: '{"redirect_uris":[]}' });
  },
];
