// Preloaded into the checker: *.example.test is this machine, as DNS would have it.
const dns = require('dns');
const lookup = dns.lookup;
const isOurs = name => /\.example\.test$/.test(name);
const answer = options => options && options.all ? [[{ address: '127.0.0.1', family: 4 }]] : ['127.0.0.1', 4];
dns.lookup = (name, options, callback) => {
  if (typeof options === 'function') [options, callback] = [{}, options];
  return isOurs(name) ? process.nextTick(() => callback(null, ...answer(options))) : lookup.call(dns, name, options, callback);
};
