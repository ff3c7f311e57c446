-- Changes a tenant that is at a known version: claims its new URLs, frees those that it drops, takes the next version, writes the record,
-- logs the change, keeps its entry of the audit, and notes a health that is another among the events.
-- KEYS: 1 metadata of the tenant (hash)  2 routes (hash, URL, or issuer and audience -> id)  3 index (sorted set of ids)  4 version
--       5 changes (sorted set, id by version)  6 unused: the keys are those of tenant-create  7 history (sorted set, tag by version)
--       8 to 10 log of the audit, as in keep-entry  11 unused  12, 13 events, as in log-event
-- ARGV: 1 id  2 record  3 check, empty where the one that is kept stays  4 the version that is changed
--       5 what it claims of the routes as a JSON list  6 entry of the audit without its time  7 terms of the audit
--       8 health and reason of the check  9 the same as an event has them
--       10 version of the caller's last change  11 its tag  12.. the same claims
-- Gives: {1, version, tag, whether the caller's last change is there} written
--        | {2, record, version, check, generation, what is due, format, claims} it is at another version
--        | {3, claim, owner} a claim is taken, or for what is shared, claimed with another name
--        | {0, version of the tombstone, if there is one} there is no such tenant
local current = redis.call('HMGET', KEYS[1], 'record', 'version', 'check', 'urls', 'generation', 'due', 'told', 'finding', 'format')
if not current[1] then return {0, current[2]} end
if current[2] ~= ARGV[4] then
  return {2, current[1], current[2], current[3], current[5] or '', current[6] or '', current[9] or '', current[4] or ''}
end
local keep, claims, shared = {}, claimsOf(current[4])
for i = 12, #ARGV do
  local owner = ownerOf(KEYS[2], ARGV[1], ARGV[i], shared)
  if owner then return {3, ARGV[i], owner} end
  keep[ARGV[i]] = true
end
for claim in pairs(claims) do
  if not keep[claim] then freeRoute(KEYS[2], ARGV[1], claim) end
end
local version, tag, isSame = logChange(ARGV[1], KEYS[4], KEYS[5], KEYS[7], ARGV[10], ARGV[11])
redis.call('HSET', KEYS[1], 'format', '2', 'record', ARGV[2], 'urls', ARGV[5], 'version', version)
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'check', ARGV[3])
  redis.call('HDEL', KEYS[1], 'checked', 'finding')
end
for claim in pairs(keep) do
  if not claims[claim] then claimRoute(KEYS[2], ARGV[1], claim) end
end
keepEntry(KEYS[8], KEYS[9], KEYS[10], ARGV[7], string.format('%016.0f', timeOf(ARGV[7])) .. '.' .. ARGV[6], KEYS[12], KEYS[13])
if ARGV[3] ~= '' then tellHealth(KEYS[1], KEYS[12], KEYS[13], ARGV[1], current[7] or current[8], ARGV[8], ARGV[9]) end
return {1, version, tag, isSame}
