-- Gives a client a new record and its full lifetime again.
-- KEYS: 1 client (hash)  2 clients (sorted set of entries "creation time.client hash", by expiry in ms)  3 generation
--       4 queue of the audit
-- ARGV: 1 its creation time, as read before  2 record  3 offset of the clock in ms, 0 outside tests  4 generation
--       5 entry of the audit, as in queue-entry
-- Gives: its expiry in ms | 0 it is gone, expired, or another one was listed since | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[4] then return '-1' end
local client = redis.call('HMGET', KEYS[1], 'created', 'expiry', 'lifetime', 'entry')
if not client[1] or client[1] ~= ARGV[1] then return '0' end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[3])
if tonumber(client[2]) <= now then return '0' end

local expiry = string.format('%.0f', now + tonumber(client[3]))
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'expiry', expiry)
redis.call('PEXPIRE', KEYS[1], client[3])
redis.call('ZADD', KEYS[2], 'XX', expiry, client[4])
queueEntry(KEYS[4], ARGV[5], ARGV[3])
return expiry
