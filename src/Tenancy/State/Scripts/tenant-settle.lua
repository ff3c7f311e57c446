-- Notes that what was due in a tenant's own slot is done.
-- KEYS: 1 metadata of the tenant (hash)  2 unfinished (sorted set, id by version)
-- ARGV: 1 id  2 generation
-- Gives: 1 noted | 0 the tenant is at another generation, or gone
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], 'due')
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
