-- Keeps the result of a tenant's check, if the tenant is still at the version that was checked and no later check is kept. Where the
-- tenant's health or its reason is another now, it is logged as a change, and is an event; the tenant's own version stays.
-- KEYS: 1 metadata of the tenant (hash)  2 version  3 changes (sorted set, id by version)  4 history (sorted set, tag by version)
--       5 lease of the scheduled check  6, 7 events, as in log-event
-- ARGV: 1 id  2 version  3 check  4 when it was made, in ms  5 health and reason, to be compared  6 node
--       7 the same health and reason, as an event has them
-- Gives: 1 kept | 2 kept and logged | 0 the tenant changed, is gone, or was checked later
if redis.call('GET', KEYS[5]) == ARGV[6] then redis.call('DEL', KEYS[5]) end
local current = redis.call('HMGET', KEYS[1], 'record', 'version', 'checked', 'finding', 'told')
if not current[1] or current[2] ~= ARGV[2] then return 0 end
if current[3] and tonumber(current[3]) > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'check', ARGV[3], 'checked', ARGV[4], 'finding', ARGV[5])
tellHealth(KEYS[1], KEYS[6], KEYS[7], ARGV[1], current[5] or current[4], ARGV[5], ARGV[7])
if current[4] == ARGV[5] then return 1 end
logChange(ARGV[1], KEYS[2], KEYS[3], KEYS[4], '', '')
return 2
