// A tenant of the server at SERVER, and what its operator does with it.
import { createRequire } from 'node:module';
const { register } = createRequire(import.meta.url)('../server.cjs');

export const server = process.env.SERVER;

export class Seller {
  static async open(id, config = {}) {
    const { principals = [] } = await register({ id, platform: 'publisher', ...config });
    return Object.assign(new Seller(), {
      id, url: `${server}/${id}/mcp`, hostUrl: `http://${id}.example.test:${new URL(server).port}/mcp`,
      principal: principals[0]?.id, token: principals[0]?.token,
    });
  }

  /** One whose buyers were given tokens, which hold no scopes. */
  static withTokens = id => Seller.open(id, { principals: [{ name: 'Buyer' }] });

  /** One whose buyers sign in. */
  static withSignIn = id => Seller.open(id, { authentication: { kind: 'jwks', issuer: process.env.ISSUER, scopes: ['adcp'] } });

  change = patch => this.#ask('PATCH', '', patch);
  revoke = () => this.#ask('DELETE', `/principals/${this.principal}`);

  async endSessions() {
    const { sessions } = await this.#ask('GET', '/sessions');
    for (const { handle } of sessions) await this.#ask('DELETE', `/sessions/${handle}`);
  }

  async #ask(method, path, body) {
    const response = await fetch(`${server}/admin/tenants/${this.id}${path}`, {
      method, body: body && JSON.stringify(body),
      headers: { 'X-Admin-API-Key': process.env.ADMIN_KEY, 'Content-Type': 'application/merge-patch+json' },
    });
    if (!response.ok) throw new Error(`${method} ${path} of ${this.id}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }
}
