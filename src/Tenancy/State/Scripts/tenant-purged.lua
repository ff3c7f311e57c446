-- Notes that all that a deleted tenant kept is gone: the id can be registered again.
-- KEYS: 1 metadata of the tenant (hash)  2 unfinished (sorted set, id by version)
-- ARGV: 1 id  2 version of the tombstone
-- Gives: 1 noted | 0 the tombstone is another, or it was noted before
local current = redis.call('HMGET', KEYS[1], 'record', 'version', 'purging')
if current[1] or current[2] ~= ARGV[2] or not current[3] then return 0 end
redis.call('HDEL', KEYS[1], 'purging', 'purged', 'purger', 'purger-until')
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
