-- Says that a node is there, and lets go of those that were not heard of for long.
-- KEYS: 1 nodes (hash, what a node says of itself by its id)  2 node beats (sorted set, node by when it was heard of last, in ms)
-- ARGV: 1 node  2 what it says of itself, empty where it goes  3 after how many ms without a word a node is let go of
-- Gives: when it was heard of, in ms
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[1])
end
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - tonumber(ARGV[3])))) do
  redis.call('HDEL', KEYS[1], silent)
  redis.call('ZREM', KEYS[2], silent)
end
return string.format('%.0f', now)
