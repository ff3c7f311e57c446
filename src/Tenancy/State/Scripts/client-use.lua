-- Finds a client that is used. Once it has used up a tenth of its lifetime it lives its full time again, so that most uses write nothing.
-- KEYS: 1 client (hash)  2 clients (sorted set of entries "creation time.client hash", by expiry in ms)  3 generation
-- ARGV: 1 offset of the clock in ms, 0 outside tests  2 generation
-- Gives: the ms until it expires | 0 it is not listed, or expired | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[2] then return '-1' end
local client = redis.call('HMGET', KEYS[1], 'entry', 'expiry', 'lifetime')
if not client[1] then return '0' end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[1])
local left, lifetime = tonumber(client[2]) - now, tonumber(client[3])
if left <= 0 then return '0' end
if left > lifetime * 0.9 then return string.format('%.0f', left) end

local expiry = string.format('%.0f', now + lifetime)
redis.call('HSET', KEYS[1], 'expiry', expiry)
redis.call('PEXPIRE', KEYS[1], client[3])
redis.call('ZADD', KEYS[2], 'XX', expiry, client[1])
return client[3]
