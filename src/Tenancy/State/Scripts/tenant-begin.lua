-- Begins a generation of a tenant in its own slot. Done again it changes nothing.
-- KEYS: 1 generation
-- ARGV: 1 generation
-- Gives: 1 it stands | 0 a later one stands: the tenant was deleted meanwhile
local current = redis.call('GET', KEYS[1])
if current == ARGV[1] then return 1 end
if current and tonumber(current) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
