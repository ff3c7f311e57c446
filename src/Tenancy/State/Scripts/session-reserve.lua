-- Keeps a place for a session that is about to begin, where its tenant and its caller have one left. Lets go first of what expired. Where
-- the caller has as many as it may, it names the one of them that was not used for longest and is not in use.
-- KEYS: 1 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
--       2 counts (hash, entries by "epoch" and by "epoch.caller hash")  3 uses (sorted set of the same entries, by last use in ms)
--       4 generation
-- ARGV: 1 epoch  2 caller hash  3 entry of the place  4 lifetime of the place in ms  5 most sessions of the tenant
--       6 most sessions of the caller  7 offset of the clock in ms, 0 outside tests  8 generation  9 ms for which a session was not used
--       that can go
-- Gives: 1 kept | 0 there is none left | -1 the tenant is at another generation | the hash of the caller's session that can go
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[8] then return -1 end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[7])
local epoch, caller = ARGV[1], ARGV[1] .. '.' .. ARGV[2]

local function less(field)
  if redis.call('HINCRBY', KEYS[2], field, -1) <= 0 then redis.call('HDEL', KEYS[2], field) end
end

-- What has a stream, or a call that runs, was used in the future. Everybody waits for this script: it looks among the 10,000 of the tenant
-- that were not used for longest.
local function longestUnused()
  for start = 0, 9800, 200 do
    local idle = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now - tonumber(ARGV[9])), 'LIMIT', start, 200)
    for _, entry in ipairs(idle) do
      local whose, hash = string.match(entry, '^([^.]+%.[^.]+)%.(.+)$')
      if whose == caller and redis.call('ZSCORE', KEYS[1], entry) then return hash end
    end
    if #idle < 200 then break end
  end
  return 0
end

-- Thousands of sessions may expire together, and everybody waits for this script: they go in batches, and only until there is a place.
while true do
  local expired = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, 200)
  for _, entry in ipairs(expired) do
    redis.call('ZREM', KEYS[1], entry)
    redis.call('ZREM', KEYS[3], entry)
    local theirs, whose = string.match(entry, '^(([^.]+)%.[^.]+)%.')
    less(theirs)
    less(whose)
  end
  local counts = redis.call('HMGET', KEYS[2], epoch, caller)
  local hasPlace = tonumber(counts[1] or '0') < tonumber(ARGV[5]) and tonumber(counts[2] or '0') < tonumber(ARGV[6])
  if hasPlace then break end
  if #expired < 200 then return tonumber(counts[2] or '0') >= tonumber(ARGV[6]) and longestUnused() or 0 end
end

redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[4])), ARGV[3])
redis.call('HINCRBY', KEYS[2], epoch, 1)
redis.call('HINCRBY', KEYS[2], caller, 1)
return 1
