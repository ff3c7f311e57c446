// Makes a tenant of each platform at the server at SERVER, and writes down what a checker of other servers with the same store needs.
const { createTenant } = require('./server.cjs');

Promise.all(['publisher', 'retailer'].map(async platform =>
  ({ platform, ...await createTenant(`replicated-${platform}`, platform) })))
  .then(tenants => console.log(JSON.stringify(tenants)), error => { console.error(error); process.exit(1); });
