-- Registers a tenant: claims its id and URLs, takes the next version, writes the record and what is due in the tenant's own slot, logs the
-- change, and keeps its entry of the audit.
-- KEYS: 1 metadata of the tenant (hash)  2 routes (hash, URL, or issuer and audience -> id)  3 index (sorted set of ids)  4 version
--       5 changes (sorted set, id by version)
--       6 unfinished (sorted set, id by version)  7 history (sorted set, tag by version)  8 to 10 log of the audit, as in keep-entry
--       11 unregistered tenants that left data (sorted set of ids)  12, 13 events, as in log-event
-- ARGV: 1 id  2 record  3 check
--       4 'adopt' to have the data that an unregistered tenant left, 'return' to have it where it is the same one's, 'seed' to leave an id
--       alone that was ever used, else 'new'
--       5 its claims as a JSON list  6 what is due in the tenant's own slot, without its first word  7 who registers it
--       8 whose it is there, or empty
--       9 entry of the audit without its time  10 terms of the audit  11 version of the caller's last change  12 its tag
--       13.. the same claims
-- Gives: {1, version, '1' where it has kept data, or empty, tag, whether the caller's last change is there}
--        written, with the version as the generation
--        | {2, record, version, check, generation, what is due, format, claims} the id is taken; empty: no generation, as an older
--          release left it, nothing due
--        | {3, claim, owner} a claim is taken, or for what is shared, claimed with another name
--        | {4} the data of an older tenant is being purged | {5} an unregistered tenant left data | {6} the id was used before
--        | {7} an unregistered tenant left data, and it is not known to be the same one's
local taken = redis.call('HMGET', KEYS[1], 'record', 'version', 'check', 'purging', 'kept', 'generation', 'due', 'origin', 'owner',
  'format', 'urls')
if taken[1] then
  return {2, taken[1], taken[2], taken[3], taken[6] or '', taken[7] or '', taken[10] or '', taken[11] or ''}
end
if taken[2] and ARGV[4] == 'seed' then return {6} end
if taken[4] then return {4} end
if taken[5] and ARGV[4] == 'return' and (ARGV[8] == '' or taken[8] ~= ARGV[7] or taken[9] ~= ARGV[8]) then return {7} end
if taken[5] and ARGV[4] ~= 'adopt' and ARGV[4] ~= 'return' then return {5} end
for i = 13, #ARGV do
  local owner = ownerOf(KEYS[2], ARGV[1], ARGV[i], {})
  if owner then return {3, ARGV[i], owner} end
end
-- Who does what is due must know whether that is to begin with what is there, or may find nothing there.
local due = (taken[5] and 'kept ' or 'new ') .. ARGV[6]
local version, tag, isSame = logChange(ARGV[1], KEYS[4], KEYS[5], KEYS[7], ARGV[11], ARGV[12])
-- What came before this time is of an earlier tenant with the id.
local begun = string.format('%016.0f', timeOf(ARGV[10]))
redis.call('HDEL', KEYS[1], 'kept', 'checked', 'finding', 'told', 'healths')
redis.call('ZREM', KEYS[11], ARGV[1])
redis.call('HSET', KEYS[1], 'format', '2', 'record', ARGV[2], 'urls', ARGV[5], 'version', version,
  'check', ARGV[3], 'generation', version, 'due', due, 'origin', ARGV[7], 'owner', ARGV[8],
  'begun', begun)
keepEntry(KEYS[8], KEYS[9], KEYS[10], ARGV[10], begun .. '.' .. ARGV[9], KEYS[12], KEYS[13])
for i = 13, #ARGV do claimRoute(KEYS[2], ARGV[1], ARGV[i]) end
redis.call('ZADD', KEYS[3], '0', ARGV[1])
redis.call('ZADD', KEYS[6], version, ARGV[1])
return {1, version, taken[5] or '', tag, isSame}
