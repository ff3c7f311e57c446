-- Claims an Idempotency-Key of the admin API for a request, or says why not. Lets go of some that are over.
-- KEYS: 1 answers (hash, key by its hash)  2 index (sorted set, key's hash by when it is over, in ms)
-- ARGV: 1 hash of the key  2 hash of the request  3 token of the claim  4 time of the claim in ms  5 time of an answer in ms
--       6 most keys  7 offset of the clock in ms, 0 outside tests  8 seed of what the request makes, where it has none yet
-- Gives: {1, seed, 1 where a run before this one was cut off, else 0} claimed
--        | {2, answer} answered before | {3, ms} another claim is under way | {4} the key was used for another request
--        | {5, ms until some are over} there are too many
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[7])
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], old)
  redis.call('ZREM', KEYS[2], old)
end
local seed, cutOff = ARGV[8], 0
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  local record = cjson.decode(stored)
  if record.request ~= ARGV[2] then return {4} end
  if record.answer then return {2, record.answer} end
  if record.token ~= ARGV[3] and record['until'] > now then return {3, math.ceil(record['until'] - now)} end
  -- The run before may have made something: what it made is found again by the same seed.
  seed = record.seed or seed
  if record.token ~= ARGV[3] then cutOff = 1 end
elseif redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) then
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  return {5, math.ceil(tonumber(first[2]) - now)}
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({
  request = ARGV[2], token = ARGV[3], seed = seed, ['until'] = now + tonumber(ARGV[4])
}))
redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[5])), ARGV[1])
return {1, seed, cutOff}
