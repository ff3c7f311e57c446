-- Lets requests of a node through that have the same limits, counted against all of them or none, lends the node more of each for the next
-- second, takes back what it had no use for, makes sessions live their full time again, and says whether documents have changed that the
-- node remembers. The rule is GCRA, the generic cell rate algorithm; LimitUse.cs explains it.
-- KEYS: 1 generation
--       then n limits (string "arrival:interval" or "arrival:interval:second:recent:earlier", see LimitUse.cs: theoretical arrival time in
--       us, time between requests in us, and where something is lent: the second in which that was last, what was lent then, what was
--       lent in the second before)
--       then, where there are sessions: sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms), uses (sorted
--       set of the same entries, by last use in ms; in the future for what is in use), and each session (hash)
--       then, where there are accounts: versions (sorted set, account by the time of its last change in us)
-- ARGV: 1 n  2 offset of the clock in ms, 0 outside tests  3 requests  4 number of sessions  5 number of accounts  6 generation
--       then per limit: time between requests in us, requests at once, how many of the requests the node has a share for already, how
--       many more it wants, how many it returns, the second in which those were lent (0 for requests that were counted alone)
--       then, where there are sessions: their full lifetime in ms, and per session: its entry in the index, owner, number of the first
--       request that names it
--       then the accounts whose versions are wanted
-- Gives: {requests let through, time in us, number of the limit that refuses the others or 0, ms until one of them may come, ms until
--        that limit is all there, per limit: requests lent, requests left, ms until it is all there, per session: 1 it is this caller's
--        | 0 there is no such session, it expired, or it is another caller's | -1 no request that names it was let through,
--        per account: its version, 0 where none stands}
--        | {-1} the tenant is at another generation
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[6] then return {-1} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(ARGV[2]) * 1000
local current = math.floor(now / 1000000)
local count, requests, sessions, accounts = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local through = requests
local limits = {}

-- First: the use of each limit is read and brought to the present, and says how many requests it lets through.
for i = 1, count do
  local at = 6 * i + 1
  local interval, span = tonumber(ARGV[at]), tonumber(ARGV[at]) * tonumber(ARGV[at + 1])
  local held, wanted, returned, lentIn = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local arrival, second, recent, earlier = now, current, 0, 0
  local stored = redis.call('GET', KEYS[i + 1])
  if stored then
    local a, was, s, r, e = string.match(stored, '^(%d+):(%d+):?(%d*):?(%d*):?(%d*)$')
    arrival, was, second, recent, earlier = tonumber(a), tonumber(was), tonumber(s) or current, tonumber(r) or 0, tonumber(e) or 0
    -- Where the limit has changed, what was used becomes as many requests of the new one.
    if was ~= interval then arrival = now + math.floor((arrival - now) * interval / was) end
    -- What was lent may be spent until the end of the second after the one in which it was lent. Then it counts as spent at that moment.
    local last = second
    if current > last then
      arrival = math.max(arrival, (last + 1) * 1000000 + (recent + earlier) * interval)
      recent, earlier = 0, recent
    end
    if current > last + 1 then
      arrival = math.max(arrival, (last + 2) * 1000000 + earlier * interval)
      earlier = 0
    end
    -- A clock that falls back into the second before is ignored, and nothing is lent meanwhile.
    if current == last - 1 then wanted = 0 else second = current end
  end
  arrival = math.min(math.max(arrival, now + (recent + earlier) * interval), now + span)

  -- The node returns what it had no use for. Where that counts as spent already, time has given some of it back since, which is not
  -- given back twice.
  if returned > 0 then
    local credit = returned * interval
    if lentIn >= second then
      recent = math.max(0, recent - returned)
    elseif lentIn == second - 1 then
      earlier = math.max(0, earlier - returned)
    elseif lentIn > 0 then
      credit = math.max(0, credit - (now - (lentIn + 2) * 1000000))
    end
    arrival = math.min(arrival, math.max(arrival - credit, now + (recent + earlier) * interval))
  end

  local left = math.floor((now + span - arrival) / interval)
  through = math.min(through, held + left)
  limits[i] = {
    interval = interval, span = span, held = held, wanted = wanted, returned = returned,
    arrival = arrival, second = second, recent = recent, earlier = earlier, left = left
  }
end

-- Second: the requests that go on are counted, but for those that the node has a share for. Of several limits that refuse the others, the
-- one that does so for longest is named.
local refusing, wait, reset = 0, 0, 0
for i, limit in ipairs(limits) do
  limit.taken = math.max(0, through - limit.held)
  limit.arrival = limit.arrival + limit.taken * limit.interval
  local untilNext = limit.arrival + limit.interval - now - limit.span
  if through < requests and limit.held + limit.left == through and untilNext > wait then
    refusing, wait, reset = i, untilNext, limit.arrival - now
  end
end

-- Third: where nothing is refused the node is lent what it wants, of each limit a sixteenth of what is left at most. A limit is written
-- only where it has changed, and it expires when it would be as if nothing had ever been used.
local answer = {through, now, refusing, math.ceil(wait / 1000), math.ceil(reset / 1000)}
for i, limit in ipairs(limits) do
  local lent = 0
  if through == requests then lent = math.max(0, math.min(limit.wanted, math.floor((limit.left - limit.taken) / 16))) end
  local arrival, recent = limit.arrival + lent * limit.interval, limit.recent + lent
  if limit.taken + lent + limit.returned > 0 then
    local value, ends = string.format('%.0f:%.0f', arrival, limit.interval), arrival
    if recent + limit.earlier > 0 then
      value = value .. string.format(':%.0f:%.0f:%.0f', limit.second, recent, limit.earlier)
      ends = math.max(arrival, (limit.second + 2) * 1000000 + (recent + limit.earlier) * limit.interval)
    end
    if ends > now then
      redis.call('SET', KEYS[i + 1], value, 'PX', string.format('%.0f', math.ceil((ends - now) / 1000)))
    else
      redis.call('DEL', KEYS[i + 1])
    end
  end
  answer[#answer + 1] = lent
  answer[#answer + 1] = math.floor((now + limit.span - arrival) / limit.interval)
  answer[#answer + 1] = math.ceil((arrival - now) / 1000)
end

-- Fourth: the sessions that are named live their full time again, but only where a request that names them goes on.
now = math.floor(now / 1000)
local index, uses, at = KEYS[count + 2], KEYS[count + 3], 7 + 6 * count
local full = ARGV[at]
for i = count + 4, count + 3 + sessions do
  local key, entry, owner, first = KEYS[i], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  at = at + 3
  local isOwn = -1
  if first <= through then
    isOwn = 0
    local session = redis.call('HMGET', key, 'owner', 'expiry', 'lifetime')
    if session[1] and session[1] == owner and tonumber(session[2]) > now then
      local lifetime = session[3] or full
      local expiry = string.format('%.0f', now + tonumber(lifetime))
      redis.call('HSET', key, 'expiry', expiry)
      redis.call('PEXPIRE', key, lifetime)
      redis.call('ZADD', index, 'XX', expiry, entry)
      if tonumber(redis.call('ZSCORE', uses, entry) or '0') < now then redis.call('ZADD', uses, string.format('%.0f', now), entry) end
      isOwn = 1
    end
  end
  answer[#answer + 1] = isOwn
end

-- Last: the versions.
for i = #ARGV - accounts + 1, #ARGV do
  answer[#answer + 1] = tonumber(redis.call('ZSCORE', KEYS[#KEYS], ARGV[i]) or '0')
end
return answer
