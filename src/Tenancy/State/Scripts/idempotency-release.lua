-- Gives a claimed key back after an error: what comes next under it is new work.
-- KEYS: 1 record (hash)  2 index (sorted set, record hashes by end of replay in ms)  3 generation
--       4 records of the caller (sorted set)
-- ARGV: 1 record hash  2 token of the claim  3 generation
-- Gives: 1 given back | 0 the claim has changed hands or was completed | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[3] then return -1 end
local stored = redis.call('HMGET', KEYS[1], 'token', 'response')
if stored[1] ~= ARGV[2] or stored[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
return 1
