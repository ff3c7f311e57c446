// glewlwyd with its plugin for OpenID Connect, on a database of its own, with one client that calls for itself.
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, forClient, serve } from '../flows.mjs';

const folder = mkdtempSync(join(tmpdir(), 'glewlwyd-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const free = createServer().listen(0, '127.0.0.1');
await once(free, 'listening');
const { port } = free.address();
free.close();
const [origin, plugin] = [`http://127.0.0.1:${port}`, 'oidc'];
const issuer = `${origin}/api/${plugin}`;
const client = { id: 'robot', secret: 'password-of-the-robot' };
const browser = new Browser();
let [resource, algorithm, number] = ['', 'RS256', 0];

function begin() {
  const database = join(folder, 'database');
  execFileSync('sqlite3', [database, '.read /usr/share/dbconfig-common/data/glewlwyd/install/sqlite3']);
  const path = (name) => `${name}_module_path="/usr/lib/glewlwyd/${name.replace('user_auth_', '').replace('_module', '')}"`;
  writeFileSync(join(folder, 'glewlwyd.conf'), `
port=${port}
bind_address="127.0.0.1"
external_url="${origin}/"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="WARNING"
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
login_api_enabled=true
admin_scope="g_admin"
profile_scope="g_profile"
${path('user')}
${path('client')}
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
use_secure_connection=false
secure_connection_key_file=""
secure_connection_pem_file=""
secure_connection_ca_file=""
hash_algorithm="SHA512"
database = { type = "sqlite3", path = "${database}" };
`);
  const running = spawn('glewlwyd', ['--config-file', join(folder, 'glewlwyd.conf')], { stdio: ['ignore', 2, 2] });
  process.on('exit', () => running.kill());
}

async function call(method, path, body) {
  const { response, text } = await browser.open(`${origin}/api${path}`, 'nowhere:', {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
}

const kinds = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }], EdDSA: ['ed25519', {}] };

// Its own way to change a key: other parameters of the plugin, which begins anew with them.
async function configure(sameId) {
  const isFirst = number === 0;
  const kid = `k${sameId ? number : ++number}`;
  const key = generateKeyPairSync(...kinds[algorithm]).privateKey.export({ format: 'jwk' });
  await call(isFirst ? 'POST' : 'PUT', isFirst ? '/mod/plugin/' : `/mod/plugin/${plugin}`, {
    module: 'oidc',
    name: plugin,
    display_name: 'OpenID Connect',
    enabled: true,
    parameters: {
      iss: issuer,
      'jwks-private': JSON.stringify({ keys: [{ ...key, kid, alg: algorithm, use: 'sig' }] }),
      'jwks-show': true,
      'default-kid': kid,
      'allow-non-oidc': true,
      'access-token-duration': 3600,
      'refresh-token-duration': 3600,
      'code-duration': 600,
      'auth-type-client-enabled': true,
      'auth-type-code-enabled': true,
      'pkce-allowed': true,
      'resource-allowed': true,
      'resource-scope': { read: [resource] },
      'resource-scope-and-client-property': false,
      'resource-change-allowed': false,
    },
  });
  if (!isFirst) await call('PUT', `/mod/plugin/${plugin}/reset`);
}

await serve({
  start: async (values) => {
    [resource, algorithm] = [values.resource, values.algorithm ?? algorithm];
    begin();
    for (let tries = 0; ; tries++) {
      try {
        await call('POST', '/auth/', { username: 'admin', password: 'password' });
        break;
      } catch (error) {
        if (tries === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    await call('POST', '/scope/', { name: 'read', display_name: 'Read', password_required: false });
    await call('POST', '/client/', {
      client_id: client.id, name: 'Robot', confidential: true, enabled: true, password: client.secret, client_secret: client.secret,
      authorization_type: ['client_credentials'], scope: ['read'], token_endpoint_auth_method: ['client_secret_basic'],
    });
    await configure(false);
    return { issuer, version: '2.7.5' };
  },
  client: (values) => forClient({ token: `${issuer}/token`, client, scope: 'read', resource: values.resource }),
  rotate: async (values) => {
    algorithm = values.algorithm ?? algorithm;
    await configure(values.sameId);
  },
});
