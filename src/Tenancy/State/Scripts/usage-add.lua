-- Adds what a node counted to a tenant's usage of a day. A count that is sent again, because the answer was lost, is added once: a node
-- sends the next one of a tenant and day when it knows that this one was added, so that its numbers come in their order.
-- KEYS: 1 generation  2 usage of the day (hash, "measure outcome tool", and "~node" for the last count of a node)
--       3 days (sorted set of "generation:day" by day, as yyyymmdd)
-- ARGV: 1 generation  2 node  3 number of the node's count  4 day  5 the first day of which something may be kept
--       6 ms for which the day is kept
--       7.. of each row: "outcome tool", calls, time in us, bytes, units
-- Gives: 1 added, now or before | -1 the tenant is at another generation
local last = redis.call('HGET', KEYS[2], '~' .. ARGV[2])
if last and tonumber(last) >= tonumber(ARGV[3]) then return 1 end
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return -1 end
-- The number comes first: where the script is cut off after it, too little is billed, and nothing twice.
redis.call('HSET', KEYS[2], '~' .. ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1] .. ':' .. ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[5])
for i = 7, #ARGV, 5 do
  for n, measure in ipairs({'calls', 'micros', 'bytes', 'units'}) do
    if ARGV[i + n] ~= '0' then redis.call('HINCRBY', KEYS[2], measure .. ' ' .. ARGV[i], ARGV[i + n]) end
  end
end
return 1
