-- Claims the deletion of what a deleted tenant kept, or keeps the claim, so that one node does it at a time.
-- KEYS: 1 metadata of the tenant (hash)
-- ARGV: 1 who claims it  2 for how long in ms, 0 to let it go  3 how many records were deleted since the last time
--       4 offset of the clock in ms, 0 outside tests  5 version of the tombstone that it was claimed for, or empty at first
-- Gives: {1, version of the tombstone} claimed | {0} nothing is to be deleted, or not of that tombstone | {2} another one has it
local current = redis.call('HMGET', KEYS[1], 'purging', 'version', 'purger', 'purger-until')
if not current[1] or (ARGV[5] ~= '' and current[2] ~= ARGV[5]) then return {0} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[4])
if current[3] and current[3] ~= ARGV[1] and tonumber(current[4]) > now then return {2} end
-- A full store refuses what takes memory, until a script has written something: this changes nothing, and lets a deletion free some.
redis.call('PERSIST', KEYS[1])
redis.call('HSET', KEYS[1], 'purger', ARGV[1], 'purger-until', string.format('%.0f', now + tonumber(ARGV[2])))
redis.call('HINCRBY', KEYS[1], 'purged', ARGV[3])
return {1, current[2]}
