-- Gives back a place whose session did not begin.
-- KEYS: 1 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
--       2 counts (hash, entries by "epoch" and by "epoch.caller hash")  3 generation
-- ARGV: 1 entry of the place  2 generation
-- Gives: 1 given back | 0 it was taken, or expired | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[2] then return -1 end
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
local theirs, whose = string.match(ARGV[1], '^(([^.]+)%.[^.]+)%.')
for _, field in ipairs({theirs, whose}) do
  if redis.call('HINCRBY', KEYS[2], field, -1) <= 0 then redis.call('HDEL', KEYS[2], field) end
end
return 1
