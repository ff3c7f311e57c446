-- Begins a session in the place that was kept for it.
-- KEYS: 1 session (hash)  2 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
--       3 uses (sorted set of the same entries, by last use in ms)  4 generation
-- ARGV: 1 entry of the session  2 entry of the place  3 owner  4 lifetime in ms until it is used  5 offset of the clock in ms, 0 outside
--       tests  6 generation
-- Gives: 1 begun | 0 the place is not kept any more | -1 the tenant is at another generation
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[6] then return -1 end
if redis.call('ZREM', KEYS[2], ARGV[2]) == 0 then return 0 end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[5])
local expiry = string.format('%.0f', now + tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], 'owner', ARGV[3], 'entry', ARGV[1], 'begun', string.format('%.0f', now), 'expiry', expiry,
  'lifetime', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], expiry, ARGV[1])
redis.call('ZADD', KEYS[3], string.format('%.0f', now), ARGV[1])
return 1
