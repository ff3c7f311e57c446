-- Lists the sessions of an epoch, those that were used last first; one with a stream is in use. Places that are only kept are left out.
-- KEYS: 1 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
--       2 uses (sorted set of the same entries, by last use in ms; in the future for what is in use)
-- ARGV: 1 epoch  2 the most that are listed  3 offset of the clock in ms, 0 outside tests
-- Gives: {how many there are, session hash, ...}
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[3])
local isLive = {}
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf')) do isLive[entry] = true end
local answer, count = {0}, 0
for _, entry in ipairs(redis.call('ZREVRANGE', KEYS[2], 0, -1)) do
  local epoch, hash = string.match(entry, '^([^.]+)%.[^.]+%.(.+)$')
  if isLive[entry] and epoch == ARGV[1] then
    count = count + 1
    if count <= tonumber(ARGV[2]) then answer[#answer + 1] = hash end
  end
end
answer[1] = count
return answer
