// What every driver of a provider in this folder does the same: it reads wishes, one JSON object a line, does each, and writes what came
// of it. A wish is { "do": name, ... }; an answer is what the flow gave, or { "error": text }.
import { createHash, randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';

/** Serves wishes until there are no more. */
export async function serve(wishes) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...values } = JSON.parse(line);
    try {
      console.log(JSON.stringify((await wishes[name](values)) ?? {}));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error?.stack ?? error) }));
    }
  }
  process.exit(0);
}

/** A browser that keeps cookies, and follows redirects until one leads to a place that it was told to stop at. */
export class Browser {
  #cookies = new Map();

  async open(url, stopAt, options = {}) {
    for (let next = new URL(url), steps = 0; steps < 20; steps++) {
      const response = await fetch(next, {
        ...options,
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '), ...options.headers },
      });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
        this.#cookies.set(name, value);
      }
      const location = response.headers.get('location');
      if (!location) return { response, text: await response.text(), url: next };
      next = new URL(location, next);
      if (next.href.startsWith(stopAt)) return { url: next };
      options = {};
    }
    throw new Error(`${url} redirects again and again`);
  }
}

/** The authorization code flow with PKCE (RFC 7636) and a resource (RFC 8707). What is asked of the user in between, agree answers. */
export async function signIn({ authorize, token, client, redirect, resource, scope, browser = new Browser(), agree }) {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(authorize);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.id,
    redirect_uri: redirect,
    scope,
    state: 'state',
    nonce: 'nonce',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(resource && { resource }),
  });
  let page = await browser.open(url, redirect);
  if (page.response) page = await agree(page, browser);
  const code = page.url.searchParams.get('code');
  if (!code) throw new Error(`No code: ${page.url} ${page.text ?? ''}`);
  return ask(token, client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirect,
    code_verifier: verifier,
    ...(resource && { resource }),
  });
}

/** The client credentials flow. */
export const forClient = ({ token, client, resource, scope }) =>
  ask(token, client, { grant_type: 'client_credentials', ...(scope && { scope }), ...(resource && { resource }) });

async function ask(token, client, fields) {
  const response = await fetch(token, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client.secret && { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` }),
    },
    body: new URLSearchParams({ ...fields, ...(!client.secret && { client_id: client.id }) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${token} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
