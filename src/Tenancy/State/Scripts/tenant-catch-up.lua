-- Gives the tombstone of a deleted tenant a later version, where the tenant's own slot has a later number: a failover has lost what all
-- tenants share, and not that.
-- KEYS: 1 metadata of the tenant (hash)  2 version  3 changes (sorted set, id by version)  4 unfinished (sorted set, id by version)
--       5 history (sorted set, tag by version)
-- ARGV: 1 id  2 version of the tombstone  3 the number in the tenant's own slot
-- Gives: the version | empty: the tombstone is another, or nothing is to be deleted
local current = redis.call('HMGET', KEYS[1], 'record', 'version', 'purging')
if current[1] or current[2] ~= ARGV[2] or not current[3] then return '' end
if tonumber(redis.call('GET', KEYS[2]) or '0') < tonumber(ARGV[3]) then redis.call('SET', KEYS[2], ARGV[3]) end
local version = logChange(ARGV[1], KEYS[2], KEYS[3], KEYS[5], '', '')
redis.call('HSET', KEYS[1], 'version', version)
redis.call('ZADD', KEYS[4], version, ARGV[1])
return version
