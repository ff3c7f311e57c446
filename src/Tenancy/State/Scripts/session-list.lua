-- Lists the sessions of an epoch, those that were used last first; places that are only kept are left out.
-- KEYS: 1 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
-- ARGV: 1 epoch  2 the most that are listed  3 offset of the clock in ms, 0 outside tests
-- Gives: {how many there are, session hash, ...}
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[3])
local answer, count = {0}, 0
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf')
for i = #live, 1, -1 do
  local epoch, hash = string.match(live[i], '^([^.]+)%.[^.]+%.(.+)$')
  if epoch == ARGV[1] and string.sub(hash, 1, 1) ~= '~' then
    count = count + 1
    if count <= tonumber(ARGV[2]) then answer[#answer + 1] = hash end
  end
end
answer[1] = count
return answer
