-- Gives a tenant that an older release registered, which knew no generations, its version as one. It is done once: nothing else gives one
-- to a tenant that has none.
-- KEYS: 1 metadata of the tenant (hash)  2 unfinished (sorted set, id by version)
-- ARGV: 1 id  2 what is due in the tenant's own slot
-- Gives: {generation, what is due} | {} there is no such tenant
local current = redis.call('HMGET', KEYS[1], 'record', 'version', 'generation', 'due')
if not current[1] then return {} end
if current[3] then return {current[3], current[4] or ''} end
redis.call('HSET', KEYS[1], 'generation', current[2], 'due', ARGV[2])
redis.call('ZADD', KEYS[2], current[2], ARGV[1])
return {current[2], ARGV[2]}
