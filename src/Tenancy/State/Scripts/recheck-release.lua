-- Gives back a node's claim of the scheduled check of a tenant.
-- KEYS: 1 lease
-- ARGV: 1 node
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
