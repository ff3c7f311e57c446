// oidc-provider, with what it has by itself, resource indicators and client credentials.
import http from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import Provider from 'oidc-provider';
import { forClient, serve, signIn } from '../flows.mjs';

const redirect = 'http://127.0.0.1/callback';
const [user, robot] = [{ id: 'web' }, { id: 'robot', secret: 'secret' }];
const server = http.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
let [provider, signing, number] = [null, 'RS256', 0];

const kinds = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};

// A new key under an old id, or under a new one.
function begin(kid = `k${++number}`) {
  const key = generateKeyPairSync(...kinds[signing]).privateKey.export({ format: 'jwk' });
  provider = new Provider(issuer, {
    jwks: { keys: [{ ...key, kid, use: 'sig', alg: signing }] },
    cookies: { keys: ['for this run only'] },
    scopes: ['openid', 'read'],
    clients: [
      {
        client_id: user.id,
        redirect_uris: [redirect],
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        id_token_signed_response_alg: signing,
      },
      {
        client_id: robot.id,
        client_secret: robot.secret,
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
        id_token_signed_response_alg: signing,
      },
    ],
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_, { uid }) => `/agree/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          audience: resource, scope: 'read', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: signing } },
        }),
      },
    },
  });
  provider.on('server_error', (_, error) => console.error(error));
  return kid;
}

// Whoever comes is alice, who agrees to all that is asked for.
async function agree(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
  const { accountId } = session;
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {}))
    grant.addResourceScope(resource, scopes.join(' '));
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

begin();
server.on('request', async (request, response) => {
  try {
    await (request.url.startsWith('/agree/') ? agree(request, response) : provider.callback()(request, response));
  } catch (error) {
    console.error(error);
    response.destroy();
  }
});

await serve({
  start: () => ({ issuer, version: '9.13.3' }),
  code: ({ resource }) =>
    signIn({
      authorize: `${issuer}/auth`, token: `${issuer}/token`, client: user, redirect, resource, scope: 'openid read',
    }),
  client: ({ resource }) => forClient({ token: `${issuer}/token`, client: robot, resource, scope: 'read' }),
  rotate: ({ algorithm, sameId }) => {
    signing = algorithm ?? signing;
    return { kid: begin(sameId ? `k${number}` : undefined) };
  },
});
