-- Keeps what a node counted of a tenant's calls in a quarter of an hour, instead of what it said of it before, and lets go of old ones.
-- KEYS: 1 generation  2 traffic (hash, by "quarter generation node")
-- ARGV: 1 generation  2 field  3 counts  4 the first quarter that is kept  5 ms for which all of it is kept
-- Gives: 1 | -1 the tenant is at another generation
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return -1 end
if redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) == 1 then
  for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
    if tonumber(string.match(field, '^(%d+)')) < tonumber(ARGV[4]) then redis.call('HDEL', KEYS[2], field) end
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
