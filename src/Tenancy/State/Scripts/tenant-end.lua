-- Ends the generation of a tenant that was deleted, before anything of it is: what began before writes nothing from then on.
-- KEYS: 1 generation
-- ARGV: 1 version of the tombstone, which is later than the generation
-- Gives: 1 ended | -1 a later one stands: the id was registered anew
local current = redis.call('GET', KEYS[1])
if current and tonumber(current) > tonumber(ARGV[1]) then return -1 end
-- A full store refuses what takes memory, until a script has written something: this changes nothing, and lets a deletion free some.
redis.call('PERSIST', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return 1
