-- Replaces a document, unless it was changed since it was read.
-- KEYS: 1 document (hash)  2 storage of the tenant's documents in bytes
-- ARGV: 1 revision that was read  2 document  3 size in bytes  4 most bytes of the tenant
-- Gives: 1 replaced | 0 it was changed or is gone | 3 no room
local stored = redis.call('HMGET', KEYS[1], 'revision', 'size')
if stored[1] ~= ARGV[1] then return 0 end
local growth = tonumber(ARGV[3]) - tonumber(stored[2])
if growth > 0 and tonumber(redis.call('GET', KEYS[2]) or '0') + growth > tonumber(ARGV[4]) then return 3 end
redis.call('HSET', KEYS[1], 'json', ARGV[2], 'revision', string.format('%.0f', tonumber(ARGV[1]) + 1), 'size', ARGV[3])
redis.call('INCRBY', KEYS[2], string.format('%.0f', growth))
return 1
