-- Deletes a batch of what a deleted tenant kept, with its entries in the index, unless the id was registered anew.
-- KEYS: 1 generation  2 index (sorted set or hash)  3.. what is deleted
-- ARGV: 1 version of the tombstone  2 'ZREM' or 'HDEL', which takes an entry off the index  3.. entries of the index
-- Gives: how many entries were taken off | -1 the tenant is at another generation
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return -1 end
for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
local taken = 0
for i = 3, #ARGV do taken = taken + redis.call(ARGV[2], KEYS[2], ARGV[i]) end
return taken
