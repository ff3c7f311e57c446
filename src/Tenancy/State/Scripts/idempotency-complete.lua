-- Keeps the response of a claimed request, unless the claim has changed hands.
-- KEYS: 1 record (hash)  2 index (sorted set, record hashes by end of replay in ms)
--       3 sizes (hash, bytes of the answers by the hour since 1970 in which their replay ends)
-- ARGV: 1 record hash  2 request  3 token of the claim  4 response  5 time of replay in ms  6 skew of clocks in ms  7 offset of the clock in ms, 0 outside tests
-- Gives: {1} kept | {2, response} another claim was completed before | {0} another claim is under way, or there is none
local stored = redis.call('HMGET', KEYS[1], 'request', 'token', 'response')
if stored[1] ~= ARGV[2] then return {0} end
if stored[2] ~= ARGV[3] then
  if stored[3] then return {2, stored[3]} end
  return {0}
end
-- Said again, after an answer was lost.
if stored[3] then return {1} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[7])
local replay, skew = tonumber(ARGV[5]), tonumber(ARGV[6])
local expiry = string.format('%.0f', now + replay)
redis.call('HSET', KEYS[1], 'response', ARGV[4], 'expiry', expiry)
redis.call('HDEL', KEYS[1], 'lease')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', replay + skew))
redis.call('ZADD', KEYS[2], expiry, ARGV[1])
redis.call('HINCRBY', KEYS[3], string.format('%.0f', math.floor((now + replay) / 3600000)), #ARGV[4])
redis.call('PEXPIRE', KEYS[3], string.format('%.0f', replay + skew + 3600000))
local life = 2 * replay + skew
if redis.call('PTTL', KEYS[2]) < life then redis.call('PEXPIRE', KEYS[2], string.format('%.0f', life)) end
return {1}
