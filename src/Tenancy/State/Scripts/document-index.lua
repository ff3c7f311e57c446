-- Writes entries of the index by id anew, for documents that an older release wrote without.
-- KEYS: 1 generation  2 documents (sorted set)  3 documents by id (sorted set, all scores 0: collection:id hash:account)
-- ARGV: 1 generation  2.. places of documents (account:collection:creation time:id hash)
-- Gives: 1 written | -1 the tenant is at another generation
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return -1 end
for i = 2, #ARGV do
  -- One that was deleted meanwhile has gone from both.
  if redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    local account, collection, id = string.match(ARGV[i], '^([^:]+):([^:]+):[^:]+:([^:]+)$')
    redis.call('ZADD', KEYS[3], '0', collection .. ':' .. id .. ':' .. account)
  end
end
return 1
