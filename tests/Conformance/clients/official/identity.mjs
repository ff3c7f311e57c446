// An identity provider, oidc-provider with all it has by itself: clients register themselves, and ask for tokens for a resource. Whoever
// comes is one buyer, who agrees to all that is asked for. The first line that it prints is its address.
import http from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import Provider from 'oidc-provider';

const server = http.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(issuer);

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...key, kid: 'only', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['for this run only'] },
  scopes: ['openid', 'offline_access', 'adcp', 'ledger'],
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_, { uid }) => `/agree/${uid}` },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        audience: resource, scope: 'adcp ledger', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.on('server_error', (_, error) => console.error(error));
const answer = provider.callback();

server.on('request', async (request, response) => {
  try {
    if (request.url.startsWith('/agree/')) return await agree(request, response);
    if (request.url === '/reg') {
      allowPages(request, response);
      if (request.method === 'OPTIONS') return response.writeHead(204).end();
      request.body = await unbound(request);
    }
    await answer(request, response);
  } catch (error) {
    console.error(error);
    response.destroy();
  }
});

// Everything else this provider lets pages do by itself.
function allowPages({ headers: { origin } }, response) {
  if (!origin) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Headers', 'content-type');
}

async function agree(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: 'buyer' } });
  const { accountId } = session;
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {}))
    grant.addResourceScope(resource, scopes.join(' '));
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

// This provider holds a client to the scopes with which it registered. Most do not, so that a client can ask for more later.
async function unbound(request) {
  let text = '';
  for await (const part of request) text += part;
  const { scope, ...registration } = JSON.parse(text);
  return registration;
}
