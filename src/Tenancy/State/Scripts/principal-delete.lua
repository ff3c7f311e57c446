-- Revokes a principal with all its tokens.
-- KEYS: 1 principals (hash, token hashes by principal id)  2 generation  3 queue of the audit
--       4 .. principal under each of its tokens (string)
-- ARGV: 1 principal id  2 its token hashes, as read before  3 generation  4 entry of the audit, as in queue-entry
--       5 offset of the clock in ms, 0 outside tests
-- Gives: 1 revoked | 0 it has changed since, or is gone | -1 the tenant is at another generation
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[3] then return -1 end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('HDEL', KEYS[1], ARGV[1])
queueEntry(KEYS[3], ARGV[4], ARGV[5])
return 1
