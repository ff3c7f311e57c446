-- Finds the session of a caller and makes it live its full time again.
-- KEYS: 1 session (hash)  2 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)  3 generation
-- ARGV: 1 entry of the session  2 owner  3 lifetime in ms  4 offset of the clock in ms, 0 outside tests  5 generation
-- Gives: 1 it is this caller's | 0 there is no such session, it expired, or it is another caller's | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[5] then return -1 end
local session = redis.call('HMGET', KEYS[1], 'owner', 'expiry')
if not session[1] or session[1] ~= ARGV[2] then return 0 end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[4])
if tonumber(session[2]) <= now then return 0 end
local expiry = string.format('%.0f', now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'expiry', expiry)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], 'XX', expiry, ARGV[1])
return 1
