-- Creates a document once.
-- KEYS: 1 document (hash)  2 documents (sorted set, all scores 0: account:collection:creation time:id hash)  3 storage of the tenant's documents in bytes
--       4 the document that it belongs to (hash), only where there is one
-- ARGV: 1 account:collection  2 id hash  3 document  4 operation  5 size in bytes  6 most bytes of the tenant  7 offset of the clock in ms, 0 outside tests
-- Gives: {1} created | {2, document, revision} this operation created it before | {0} another one did | {3} no room | {4} the document that it belongs to is gone
local stored = redis.call('HMGET', KEYS[1], 'json', 'revision', 'operation')
if stored[1] then
  if stored[3] == ARGV[4] then return {2, stored[1], stored[2]} end
  return {0}
end
if KEYS[4] and redis.call('EXISTS', KEYS[4]) == 0 then return {4} end
if tonumber(redis.call('GET', KEYS[3]) or '0') + tonumber(ARGV[5]) > tonumber(ARGV[6]) then return {3} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(ARGV[7]) * 1000
local place = ARGV[1] .. ':' .. string.format('%016.0f', now) .. ':' .. ARGV[2]
redis.call('HSET', KEYS[1], 'json', ARGV[3], 'revision', '1', 'operation', ARGV[4], 'size', ARGV[5], 'place', place)
redis.call('ZADD', KEYS[2], '0', place)
redis.call('INCRBY', KEYS[3], ARGV[5])
return {1}
