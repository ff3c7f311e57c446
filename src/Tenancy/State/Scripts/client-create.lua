-- Lists a client, where its tenant has a place left. Lets go first of what expired.
-- KEYS: 1 client (hash)  2 clients (sorted set of entries "creation time.client hash", by expiry in ms)  3 generation
--       4 queue of the audit
-- ARGV: 1 client hash  2 record  3 lifetime in ms  4 the most clients  5 offset of the clock in ms, 0 outside tests  6 generation
--       7 entry of the audit, as in queue-entry
-- Gives: {1, creation time, expiry} listed, in ms | {0} it is listed already | {2} there are too many
--        | {-1} the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[6] then return {-1} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
local expiry = redis.call('HGET', KEYS[1], 'expiry')
if expiry and tonumber(expiry) > now then return {0} end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return {2} end

local created, ends = string.format('%015.0f', now), string.format('%.0f', now + tonumber(ARGV[3]))
local entry = created .. '.' .. ARGV[1]
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'entry', entry, 'created', created, 'expiry', ends, 'lifetime', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ends, entry)
queueEntry(KEYS[4], ARGV[7], ARGV[5])
return {1, created, ends}
