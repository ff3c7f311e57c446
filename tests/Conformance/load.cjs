// Traffic of two other tenants while the checker runs. Each answer is looked at: one with another tenant's product or buy is a failure.
const { createTenant, call, openAccount, key } = require('./server.cjs');
const lanes = 4;
let isOver = false;
let good = 0;
const bad = [];

async function lane(tenant, product, price) {
  while (!isOver) {
    try {
      const { products } = await call(tenant, 'get_products', { buying_mode: 'brief', brief: 'anything' });
      if (!products.some(found => found.product_id === product)) throw new Error(`${tenant.id} got products of somebody else`);
      const { media_buy_id } = await call(tenant, 'create_media_buy', {
        idempotency_key: key(), account: { brand: { domain: 'acmeoutdoor.example' }, operator: 'pinnacle-agency.example' },
        brand: { domain: 'acmeoutdoor.example' },
        start_time: 'asap', end_time: '2099-01-01T00:00:00Z', packages: [{ product_id: product, pricing_option_id: price, budget: 10 }],
      });
      const { media_buys } = await call(tenant, 'get_media_buys', { media_buy_ids: [media_buy_id] });
      if (media_buys.length !== 1) throw new Error(`${tenant.id} did not find its media buy`);
      good += 3;
    } catch (error) {
      bad.push(error.message);
    }
    await new Promise(done => setTimeout(done, 50));
  }
}

async function start() {
  const shop = await createTenant('load-shop', 'retailer');
  const news = await createTenant('load-news', 'publisher');
  await Promise.all([openAccount(shop), openAccount(news)]);
  const running = [];
  for (let i = 0; i < lanes; i++) running.push(lane(shop, 'sponsored_products', 'cpc_usd'), lane(news, 'homepage_display', 'cpm_usd'));
  return async () => {
    isOver = true;
    await Promise.all(running);
    return { good, bad };
  };
}

module.exports = { start };
