-- Takes a tenant away: frees its URLs, leaves a tombstone with the next version, logs the change, and keeps its entry of the audit.
-- KEYS: 1 metadata of the tenant (hash)  2 routes (hash, URL -> id)  3 index (sorted set of ids)  4 version
--       5 changes (sorted set, id by version)
--       6 unfinished (sorted set, id by version)  7 history (sorted set, tag by version)  8 to 10 log of the audit, as in keep-entry
--       11 unregistered tenants that left data (sorted set of ids)  12, 13 events, as in log-event
-- ARGV: 1 id  2 'purging' where its data is to be deleted, 'kept' where it stays
--       3 entry of the audit without its time  4 terms of the audit  5 version of the caller's last change  6 its tag
-- Gives: {1, version, tag, whether the caller's last change is there} removed
--        | {0, version of the tombstone, if there is one} there is no such tenant; what an unregistered one left is then
--          marked for deletion
local current = redis.call('HMGET', KEYS[1], 'urls', 'version', 'purging')
local urls = current[1]
-- A full store refuses what takes memory, until a script has written something: this changes nothing, and lets a deletion free some.
redis.call('PERSIST', KEYS[1])
local entry = string.format('%016.0f', timeOf(ARGV[4])) .. '.' .. ARGV[3]
if not urls then
  if ARGV[2] == 'purging' and (redis.call('HDEL', KEYS[1], 'kept') == 1 or current[3]) then
    redis.call('HDEL', KEYS[1], 'origin', 'owner')
    redis.call('ZREM', KEYS[11], ARGV[1])
    redis.call('HSET', KEYS[1], 'purging', '1')
    if not current[3] then keepEntry(KEYS[8], KEYS[9], KEYS[10], ARGV[4], entry, KEYS[12], KEYS[13]) end
    redis.call('ZADD', KEYS[6], current[2], ARGV[1])
  end
  return {0, current[2]}
end
for _, claim in ipairs(cjson.decode(urls)) do freeRoute(KEYS[2], ARGV[1], claim) end
local version, tag, isSame = logChange(ARGV[1], KEYS[4], KEYS[5], KEYS[7], ARGV[5], ARGV[6])
keepEntry(KEYS[8], KEYS[9], KEYS[10], ARGV[4], entry, KEYS[12], KEYS[13])
redis.call('HDEL', KEYS[1], 'record', 'urls', 'check', 'checked', 'finding', 'told', 'healths', 'generation', 'due', 'begun', 'claimed')
redis.call('HSET', KEYS[1], 'version', version, ARGV[2], '1')
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[2] == 'purging' then
  redis.call('HDEL', KEYS[1], 'origin', 'owner')
  redis.call('ZADD', KEYS[6], version, ARGV[1])
else
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZADD', KEYS[11], '0', ARGV[1])
end
return {1, version, tag, isSame}
