// better-auth with its plugins oauth-provider and jwt: clients register themselves, and tokens are signed by Ed25519 unless it is told
// otherwise.
import http from 'node:http';
import { once } from 'node:events';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import { oauthProvider } from '@better-auth/oauth-provider';
import { Browser, forClient, serve, signIn } from '../flows.mjs';

const redirect = 'http://127.0.0.1/callback';
const server = http.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;
const issuer = `${origin}/api/auth`;
let [answer, client, database] = [null, null, null];
const tables = [
  'user', 'session', 'account', 'verification', 'jwks', 'oauthClient', 'oauthResource', 'oauthClientResource', 'oauthRefreshToken',
  'oauthAccessToken', 'oauthConsent', 'oauthClientAssertion',
];

function begin(resource, algorithm) {
  database = Object.fromEntries(tables.map((name) => [name, []]));
  const auth = betterAuth({
    baseURL: origin,
    secret: 'for this run only, and long enough for anybody',
    database: memoryAdapter(database),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    disabledPaths: ['/token'],
    plugins: [
      jwt(algorithm ? { jwks: { keyPairConfig: { alg: algorithm } } } : {}),
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        scopes: ['openid', 'profile', 'email', 'offline_access', 'read'],
        allowDynamicClientRegistration: true,
        allowUnauthenticatedClientRegistration: true,
        enforcePerClientResources: false,
        resources: [{ identifier: resource, name: 'Tenant' }],
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
      }),
    ],
  });
  answer = toNodeHandler(auth);
}

server.on('request', (request, response) => {
  // Where MCP's clients look first: behind the host. better-auth leaves it to the application to serve that.
  const wellKnown = /^(\/\.well-known\/[a-z-]+)\/api\/auth$/.exec(request.url);
  if (wellKnown) request.url = `/api/auth${wellKnown[1]}`;
  if (request.url.startsWith('/api/auth')) return answer(request, response);
  response.end('a page of the application');
});

const post = async (browser, path, body) => {
  const { text, response } = await browser.open(`${issuer}${path}`, 'nowhere:', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
};

await serve({
  start: ({ resource, algorithm }) => {
    begin(resource, algorithm);
    return { issuer, version: '1.7.5' };
  },
  code: async ({ resource }) => {
    const browser = new Browser();
    client ??= await post(browser, '/oauth2/register', {
      redirect_uris: [redirect], token_endpoint_auth_method: 'none', scope: 'openid read', client_name: 'Test', application_type: 'native',
    });
    await post(browser, '/sign-up/email', { email: `alice${Math.random()}@example.com`, password: 'password1234', name: 'Alice' });
    return signIn({
      authorize: `${issuer}/oauth2/authorize`,
      token: `${issuer}/oauth2/token`,
      client: { id: client.client_id },
      redirect,
      resource,
      scope: 'openid read',
      browser,
      agree: async (page) => {
        // To a script it answers where it would send a browser: to the page where the user consents.
        const asked = new URL(JSON.parse(page.text).url, origin);
        const agreed = await post(browser, '/oauth2/consent', { accept: true, oauth_query: asked.search.slice(1) });
        return { url: new URL(agreed.url ?? agreed.redirect_uri) };
      },
    });
  },
  rotate: async () => {
    // As an administrator does it: the old key is taken out of the table, and the next token makes a new one.
    database.jwks.length = 0;
  },
});
