-- Notes that calls of a session run: as long as they do it is in use, and makes room for no other. It lives no longer for that.
-- KEYS: 1 session (hash)  2 uses (sorted set of entries "epoch.caller hash.session hash", by last use in ms; in the future for what is in
--       use)  3 generation
-- ARGV: 1 ms for which it is in use  2 offset of the clock in ms, 0 outside tests  3 generation
-- Gives: 1 noted | 0 there is no such session | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[3] then return -1 end
local entry = redis.call('HGET', KEYS[1], 'entry')
local used = entry and redis.call('ZSCORE', KEYS[2], entry)
if not used then return 0 end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', math.max(now + tonumber(ARGV[1]), tonumber(used))), entry)
return 1
