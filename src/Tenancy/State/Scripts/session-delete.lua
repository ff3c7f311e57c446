-- Ends a session.
-- KEYS: 1 session (hash)  2 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
--       3 counts (hash, entries by "epoch" and by "epoch.caller hash")  4 uses (sorted set of the same entries, by last use in ms)
--       5 generation  6 queue of the audit
-- ARGV: 1 owner, or empty for whoever's it is  2 generation  3 entry of the audit, as in queue-entry
--       4 offset of the clock in ms, 0 outside tests
-- Gives: 1 ended | 0 there is none, or it is another's | -1 the tenant is at another generation
if (redis.call('GET', KEYS[5]) or '0') ~= ARGV[2] then return -1 end
local session = redis.call('HMGET', KEYS[1], 'owner', 'entry')
if not session[1] or (ARGV[1] ~= '' and session[1] ~= ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
queueEntry(KEYS[6], ARGV[3], ARGV[4])
redis.call('ZREM', KEYS[4], session[2])
if redis.call('ZREM', KEYS[2], session[2]) == 1 then
  local theirs, whose = string.match(session[2], '^(([^.]+)%.[^.]+)%.')
  for _, field in ipairs({theirs, whose}) do
    if redis.call('HINCRBY', KEYS[3], field, -1) <= 0 then redis.call('HDEL', KEYS[3], field) end
  end
end
return 1
