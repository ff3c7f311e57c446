-- Deletes a document.
-- KEYS: 1 document (hash)  2 documents (sorted set, all scores 0: account:collection:creation time:id hash)  3 storage of the tenant's documents in bytes
-- ARGV: none
-- Gives: 1 deleted | 0 there is no such document
local stored = redis.call('HMGET', KEYS[1], 'place', 'size')
if not stored[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], stored[1])
redis.call('DECRBY', KEYS[3], stored[2])
return 1
