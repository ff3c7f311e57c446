// Makes a tenant of each platform at the server at SERVER, and writes down what a checker of other servers with the same store needs.
const { createPreparedTenant } = require('./server.cjs');

Promise.all(['publisher', 'retailer'].map(async platform =>
  ({ platform, ...await createPreparedTenant(`replicated-${platform}`, platform) })))
  .then(tenants => console.log(JSON.stringify(tenants)), error => { console.error(error); process.exit(1); });
