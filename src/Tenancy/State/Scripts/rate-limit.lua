-- Counts a request against limits, all of them or none, and makes a session live its full time again: GCRA, the generic cell rate algorithm.
-- KEYS: 1..n limits (string, the theoretical arrival time in us, a colon, the time between requests that it was counted with)  n+1 session (hash)  n+2 sessions (sorted set), both only where there is a session
-- ARGV: 1 n  2 offset of the clock in ms, 0 outside tests  then per limit: time between requests in us, requests at once
--       then, where there is a session: its entry in the index, owner, lifetime in ms
-- Gives: {1, number of the tightest limit, requests left, ms until it is all there again, session} | {0, number of the limit, ms until a request may come, ms until all}
--        session: 1 it is this caller's | 0 there is no such session, it expired, or it is another caller's | -1 none was named
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(ARGV[2]) * 1000
local count = tonumber(ARGV[1])
local arrival = {}
local tightest, left, reset = 0, 0, 0
local refused, wait, refusedReset = 0, 0, 0
for i = 1, count do
  local interval = tonumber(ARGV[1 + 2 * i])
  local span = interval * tonumber(ARGV[2 + 2 * i])
  local last = now
  local stored = redis.call('GET', KEYS[i])
  if stored then
    -- What was used of a limit that has changed since is as many requests of the new one.
    local at, was = string.match(stored, '^(%d+):(%d+)$')
    last = now + math.floor((tonumber(at) - now) * interval / tonumber(was))
  end
  if last < now then last = now end
  -- Where the clock went back, as a failover can make it: nobody waits for more than a full minute.
  if last > now + span then last = now + span end
  arrival[i] = last + interval
  local spare = now + span - arrival[i]
  if spare < 0 then
    if -spare > wait then refused, wait, refusedReset = i, -spare, last - now end
  else
    local remaining = math.floor(spare / interval)
    if tightest == 0 or remaining < left then tightest, left, reset = i, remaining, arrival[i] - now end
  end
end
if refused > 0 then return {0, refused, math.ceil(wait / 1000), math.ceil(refusedReset / 1000)} end
for i = 1, count do
  redis.call('SET', KEYS[i], string.format('%.0f:%s', arrival[i], ARGV[1 + 2 * i]), 'PX', string.format('%.0f', math.ceil((arrival[i] - now) / 1000)))
end
local answer = {1, tightest, left, math.ceil(reset / 1000), -1}
if #KEYS == count then return answer end

local key, index, entry, owner, lifetime = KEYS[count + 1], KEYS[count + 2], ARGV[3 + 2 * count], ARGV[4 + 2 * count], ARGV[5 + 2 * count]
answer[5] = 0
local session = redis.call('HMGET', key, 'owner', 'expiry')
if not session[1] or session[1] ~= owner then return answer end
now = math.floor(now / 1000)
if tonumber(session[2]) <= now then return answer end
local expiry = string.format('%.0f', now + tonumber(lifetime))
redis.call('HSET', key, 'expiry', expiry)
redis.call('PEXPIRE', key, lifetime)
redis.call('ZADD', index, 'XX', expiry, entry)
answer[5] = 1
return answer
