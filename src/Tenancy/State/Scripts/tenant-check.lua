-- Keeps the result of a tenant's check, if the tenant is still at the version that was checked.
-- KEYS: 1 metadata of the tenant (hash)
-- ARGV: 1 version  2 check
-- Gives: 1 kept | 0 the tenant changed or is gone
local current = redis.call('HMGET', KEYS[1], 'record', 'version')
if not current[1] or current[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'check', ARGV[2])
return 1
