// What happens to a client, in the order of the table. Each situation is a tenant of its own. `see` takes down what the client's user sees.
import { randomUUID } from 'node:crypto';
import { Person } from './person.mjs';
import { Seller, server } from './seller.mjs';

const ask = connection => connection.call('get_products', { buying_mode: 'brief', brief: 'anything' });
const brand = { domain: 'brand.example' };
const account = { brand, operator: 'agency.example' };

const listed = async connection => `${(await connection.tools()).length} tools`;

// AdCP has no product without a pricing option: who may not see prices gets options without amounts.
const hasAmount = value =>
  typeof value === 'number' || (value !== null && typeof value === 'object' && Object.values(value).some(hasAmount));
const prices = product => `${hasAmount(product.pricing_options) ? 'with' : 'without'} prices`;

const products = async connection => {
  const { value, text } = await ask(connection);
  if (!value?.products) return text;
  return value.products.map(product => `${product.product_id} ${prices(product)}`).join(', ');
};

const told = async answer => {
  const { text, isError } = await answer;
  return isError ? `the tool answers with an error: ${text}` : text;
};

function buy(connection, key = randomUUID()) {
  return connection.call('create_media_buy', {
    idempotency_key: key, account, brand, start_time: 'asap', end_time: '2099-12-31T00:00:00Z',
    packages: [{ product_id: 'homepage_display', pricing_option_id: 'cpm_usd', budget: 5000 }],
  });
}

async function buyTwice(connection) {
  await connection.call('sync_accounts', { idempotency_key: randomUUID(), accounts: [{ ...account, billing: 'operator' }] });
  const key = randomUUID();
  const [first, second] = [await buy(connection, key), await buy(connection, key)];
  const id = first.value?.media_buy_id;
  if (!id || second.value?.media_buy_id !== id || !second.value.replayed)
    return `${first.text}; sent again with the same key: ${second.text}`;
  const { value } = await connection.call('get_media_buys', { account, media_buy_ids: [id] });
  return value.media_buys.length === 1 ? 'bought; sent again with the same key, it is the same media buy' : 'bought, and not found again';
}

async function connects(client, url, how) {
  const connection = await client.connect(url, how);
  try { return await listed(connection); } finally { await connection.close(); }
}

// What was used under the former limit may count for a moment. Whoever is refused after an answer has used up the new one.
async function refused(connection) {
  let isAnswered = false;
  for (let tries = 1; tries <= 20; tries++) {
    try {
      await ask(connection);
      isAnswered = true;
    } catch (error) {
      if (isAnswered || tries > 8) throw error;
      await new Promise(done => setTimeout(done, 400));
    }
  }
  return 'all calls are answered';
}

export const situations = [
  async function everyday({ client, id, see }) {
    const seller = await Seller.withTokens(id);
    const connection = await client.connect(seller.url, seller);
    await see('asks for the tools', () => listed(connection));
    await see('reads what there is', () => products(connection));
    await see('buys', () => buyTwice(connection));
    await see('makes a mistake in a call', () => told(
      connection.call('create_media_buy', { idempotency_key: 'one-that-is-not-used', account })));
    await see('calls a tool for which its token has no scope', () => told(connection.call('close_ledger', {})));
    await connection.close();
  },

  async function stranger({ client, id, see }) {
    const seller = await Seller.withTokens(id);
    let connection;
    await see('connects without a token, and asks for the tools', async () => {
      connection = await client.connect(seller.url, {});
      return listed(connection);
    });
    await see('reads what there is, without a token', () => products(connection));
    await see('buys without a token', () => told(buy(connection)));
    await connection?.close();
    await see('connects with a wrong token', () => connects(client, seller.url, { token: `${id}.wrong` }));
    await see('connects to a tenant that does not exist', () => connects(client, `${server}/nobody/mcp`, seller));
  },

  async function signIn({ client, id, see }) {
    if (!client.signsIn) return;
    for (const by of ['path', 'host']) {
      const seller = await Seller.withSignIn(`${id}-${by}`);
      const person = new Person();
      const asked = () => `is asked to allow: ${person.asked.splice(0).join('; then: ')}`;
      let connection;
      await see(`signs in, from nothing but the URL, by ${by}`, async () => {
        connection = await client.connect(by === 'path' ? seller.url : seller.hostUrl, { person });
        const tools = await listed(connection);
        return `${asked()}; ${tools}; ${await products(connection)}`;
      });
      if (!connection) continue;
      await see(`signed in by ${by}, calls a tool that needs another scope`, async () =>
        `${await told(connection.call('close_ledger', {}))} Before that it ${asked()}`);
      await connection.close();
    }
  },

  async function lostSession({ client, id, see }) {
    const seller = await Seller.withTokens(id);
    const connection = await client.connect(seller.url, seller);
    await products(connection);
    await seller.endSessions();
    await see('its session was ended by an admin: the next call', () => products(connection));
    await see('its session was ended by an admin: the call after that', () => products(connection));
    await connection.close();
    await see('its session was ended by an admin: connects again', () => connects(client, seller.url, seller));
  },

  async function rateLimit({ client, id, see }) {
    const seller = await Seller.withTokens(id);
    const connection = await client.connect(seller.url, seller);
    await products(connection);
    await seller.change({ limits: { rateLimit: 1 } });
    await see('calls too often', () => refused(connection));
    await see('connects where there are too many requests', () => connects(client, seller.url, seller));
    await seller.change({ limits: { rateLimit: 1000 } });
    await see('had called too often: the next call', () => products(connection));
    await connection.close();
  },

  async function suspended({ client, id, see }) {
    const seller = await Seller.withTokens(id);
    const connection = await client.connect(seller.url, seller);
    await products(connection);
    await seller.change({ status: 'suspended' });
    await see('its tenant is suspended: the next call', () => products(connection));
    await see('its tenant is suspended: connects', () => connects(client, seller.url, seller));
    await seller.change({ status: 'active' });
    await see('its tenant is active again: the next call', () => products(connection));
    await connection.close();
  },

  async function otherPlatform({ client, id, see }) {
    const seller = await Seller.withTokens(id);
    const connection = await client.connect(seller.url, seller);
    await connection.tools();
    await seller.change({ platform: 'retailer' });
    await see('its tenant has another platform: asks for the tools', () => listed(connection));
    await see('its tenant has another platform: reads what there is', () => products(connection));
    await connection.close();
  },

  async function revoked({ client, id, see }) {
    const seller = await Seller.withTokens(id);
    const connection = await client.connect(seller.url, seller);
    await products(connection);
    await seller.revoke();
    await see('its token was revoked: the next call', () => products(connection));
    await see('its token was revoked: connects', () => connects(client, seller.url, seller));
    await connection.close();
  },
];

/** All clients at once: the server goes, and comes back at the same place. */
export async function restart(clients, stop, start) {
  const here = [];
  for (const { client, id, see } of clients) {
    const seller = await Seller.withTokens(id);
    const connection = await client.connect(seller.url, seller);
    await products(connection);
    here.push({ connection, see });
  }
  await stop();
  for (const { connection, see } of here) await see('the server is away: a call', () => products(connection));
  await start();
  for (const { connection, see } of here) {
    await see('the server was restarted: the next call', () => products(connection));
    await see('the server was restarted: asks for the tools', () => listed(connection));
    await connection.close();
  }
}
