-- Takes a client out of the list.
-- KEYS: 1 client (hash)  2 clients (sorted set of entries "creation time.client hash", by expiry in ms)  3 generation
--       4 queue of the audit
-- ARGV: 1 offset of the clock in ms, 0 outside tests  2 generation  3 entry of the audit, as in queue-entry
-- Gives: 1 taken out | 0 it was not listed, or expired | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[2] then return -1 end
local client = redis.call('HMGET', KEYS[1], 'entry', 'expiry')
if not client[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], client[1])
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[1])
if tonumber(client[2]) <= now then return 0 end
queueEntry(KEYS[4], ARGV[3], ARGV[1])
return 1
