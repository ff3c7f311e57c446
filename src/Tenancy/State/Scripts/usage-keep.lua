-- Keeps usage of tenants that are deleted, where it outlives them. Done again with the same rows it changes nothing.
-- KEYS: 1 rows (hash, usage as JSON by name)  2 names (sorted set of "tenant day source", all scores 0)  3 the same by day, as yyyymmdd
-- ARGV: 1 the most rows  2 the first day that is kept  3.. of each row: its name, its day, the usage
-- Gives: 1
-- A full store refuses what takes memory, until a script has written something: this changes nothing, and lets a deletion free some.
redis.call('PERSIST', KEYS[1])
for i = 3, #ARGV, 3 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
  redis.call('ZADD', KEYS[2], '0', ARGV[i])
  redis.call('ZADD', KEYS[3], ARGV[i + 1], ARGV[i])
end
local over = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[1])
for _, name in ipairs(redis.call('ZRANGE', KEYS[3], '0', '499')) do
  local day = string.match(name, '^%S+ (%d+) ')
  if over <= 0 and tonumber(day) >= tonumber(ARGV[2]) then break end
  redis.call('HDEL', KEYS[1], name)
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
  over = over - 1
end
return 1
