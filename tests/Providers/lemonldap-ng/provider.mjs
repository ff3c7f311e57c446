// LemonLDAP::NG's portal as an OpenID Connect provider, with the users that it has for demonstrations. It knows no resource: the tenant's
// URL is an audience that its administrator adds to the relying party.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, forClient, serve, signIn } from '../flows.mjs';

const folder = mkdtempSync(join(tmpdir(), 'lemonldap-'));
const free = createServer().listen(0, '127.0.0.1');
await once(free, 'listening');
const { port } = free.address();
free.close();
const issuer = `http://127.0.0.1:${port}`;
const redirect = 'http://127.0.0.1/callback';
const client = { id: 'robot', secret: 'secret' };
let [resource, number, running] = ['', 0, null];

process.on('exit', () => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function configure(sameId) {
  const kid = `k${sameId ? number : ++number}`;
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const stores = Object.fromEntries(
    ['sessions', 'lock', 'psessions', 'plock', 'cache', 'notifications', 'conf'].map((name) => [name, join(folder, name)]),
  );
  for (const store of Object.values(stores)) mkdirSync(store, { recursive: true });
  const conf = JSON.parse(readFileSync('/var/lib/lemonldap-ng/conf/lmConf-1.json'));
  Object.assign(conf, {
    cfgNum: 1,
    portal: `${issuer}/`,
    domain: '127.0.0.1',
    requireToken: 0,
    globalStorageOptions: { ...conf.globalStorageOptions, Directory: stores.sessions, LockDirectory: stores.lock },
    persistentStorageOptions: { ...conf.persistentStorageOptions, Directory: stores.psessions, LockDirectory: stores.plock },
    localSessionStorageOptions: { ...conf.localSessionStorageOptions, cache_root: stores.cache },
    notification: 0,
    issuerDBOpenIDConnectActivation: 1,
    oidcServiceMetaDataIssuer: issuer,
    oidcServiceAllowAuthorizationCodeFlow: 1,
    oidcServicePrivateKeySig: keys.privateKey,
    oidcServicePublicKeySig: keys.publicKey,
    oidcServiceKeyIdSig: kid,
    oidcRPMetaDataExportedVars: { tenant: { name: 'cn' } },
    oidcRPMetaDataOptions: {
      tenant: {
        oidcRPMetaDataOptionsClientID: client.id,
        oidcRPMetaDataOptionsClientSecret: client.secret,
        oidcRPMetaDataOptionsRedirectUris: redirect,
        oidcRPMetaDataOptionsRequirePKCE: 1,
        oidcRPMetaDataOptionsBypassConsent: 1,
        oidcRPMetaDataOptionsAllowClientCredentialsGrant: 1,
        oidcRPMetaDataOptionsAccessTokenJWT: 1,
        oidcRPMetaDataOptionsAccessTokenSignAlg: 'RS256',
        oidcRPMetaDataOptionsIDTokenSignAlg: 'RS256',
        oidcRPMetaDataOptionsAdditionalAudiences: resource,
      },
    },
  });
  writeFileSync(join(stores.conf, 'lmConf-1.json'), JSON.stringify(conf));
  writeFileSync(join(folder, 'lemonldap-ng.ini'), `
[all]
logLevel = error
checkTime = 1
[configuration]
type = File
dirName = ${stores.conf}
localStorage = Cache::FileCache
localStorageOptions = {'namespace' => 'config-${number}-${sameId}', 'default_expires_in' => 600, 'cache_root' => '${stores.cache}'}
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
`);
}

// A new key is in force when its portal begins anew.
async function begin(sameId) {
  if (running) {
    running.kill('SIGKILL');
    await once(running, 'exit');
  }
  configure(sameId);
  running = spawn('plackup', ['--host', '127.0.0.1', '--port', `${port}`, '/usr/share/lemonldap-ng/portal/htdocs/index.psgi'], {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, LLNG_DEFAULTCONFFILE: join(folder, 'lemonldap-ng.ini') },
  });
  for (let tries = 0; ; tries++) {
    const response = await fetch(`${issuer}/.well-known/openid-configuration`).catch(() => null);
    if (response?.ok) return;
    if (tries === 60) throw new Error('The portal does not answer.');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

await serve({
  start: async (values) => {
    resource = values.resource;
    await begin(false);
    return { issuer, version: '2.16.1' };
  },
  code: async () => {
    const browser = new Browser();
    await browser.open(`${issuer}/`, 'nowhere:', {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ user: 'dwho', password: 'dwho' }),
    });
    return signIn({
      authorize: `${issuer}/oauth2/authorize`,
      token: `${issuer}/oauth2/token`,
      client,
      redirect,
      scope: 'openid profile',
      browser,
      agree: (page) => { throw new Error(`A page: ${page.text}`); },
    });
  },
  client: () => forClient({ token: `${issuer}/oauth2/token`, client, scope: 'read' }),
  rotate: ({ sameId }) => begin(sameId),
});
