-- Lists a page of the sessions of an epoch, those that were used last first; one with a stream is in use. Places that are only kept are
-- left out.
-- KEYS: 1 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
--       2 uses (sorted set of the same entries, by last use in ms; in the future for what is in use)
-- ARGV: 1 epoch  2 the most that are listed  3 offset of the clock in ms, 0 outside tests
--       4, 5 the last use and the entry of the last one of the page before, or empty
-- Gives: {how many there are in all, last use, entry, ...}, with one session more where there is a next page
-- The index orders what was used at one time by bytes. Lua's own comparison depends on where the server runs.
local function isBelow(one, other)
  for i = 1, math.min(#one, #other) do
    local left, right = string.byte(one, i), string.byte(other, i)
    if left ~= right then return left < right end
  end
  return #one < #other
end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[3])
local isLive = {}
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf')) do isLive[entry] = true end
local answer, count = {0}, 0
local uses = redis.call('ZREVRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #uses, 2 do
  local entry, use = uses[i], tonumber(uses[i + 1])
  if isLive[entry] and string.match(entry, '^[^.]+') == ARGV[1] then
    count = count + 1
    local last = tonumber(ARGV[4])
    local isAfter = not last or use < last or (use == last and isBelow(entry, ARGV[5]))
    if isAfter and #answer < 2 * (tonumber(ARGV[2]) + 1) then
      answer[#answer + 1] = string.format('%.0f', use)
      answer[#answer + 1] = entry
    end
  end
end
answer[1] = count
return answer
