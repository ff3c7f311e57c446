-- Creates a document once: where it exists, the stored one is given back.
-- KEYS: 1 document (hash)  2 documents (sorted set, all scores 0: account:collection:creation time:id hash)
-- ARGV: 1 account:collection  2 id hash  3 document  4 offset of the clock in ms, 0 outside tests
-- Gives: {1} created | {0, document, revision} it exists
local stored = redis.call('HMGET', KEYS[1], 'json', 'revision')
if stored[1] then return {0, stored[1], stored[2]} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(ARGV[4]) * 1000
local place = ARGV[1] .. ':' .. string.format('%016.0f', now) .. ':' .. ARGV[2]
redis.call('HSET', KEYS[1], 'json', ARGV[3], 'revision', '1', 'place', place)
redis.call('ZADD', KEYS[2], '0', place)
return {1}
