-- Claims the scheduled check of a tenant for one node, unless the tenant was checked later than that node knows, or another has the claim.
-- KEYS: 1 metadata of the tenant (hash)  2 lease
-- ARGV: 1 when the last check that the node knows was made, in ms  2 node  3 length of the lease in ms
-- Gives: {1} claimed | {2} another node checks it | {0, version, check} it was checked meanwhile | {} there is no such tenant
local current = redis.call('HMGET', KEYS[1], 'record', 'version', 'check', 'checked')
if not current[1] then return {} end
if current[4] and tonumber(current[4]) > tonumber(ARGV[1]) then return {0, current[2], current[3]} end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[2] then return {2} end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return {1}
