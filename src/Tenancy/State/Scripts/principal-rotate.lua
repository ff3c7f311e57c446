-- Gives a principal a new token. The one before it ends now or in a while, and one from before that ends now.
-- KEYS: 1 principals (hash, token hashes by principal id, the newest first)  2 generation  3 queue of the audit
--       4 principal under the new token (string)  5 principal under the one before  6 .. under older ones
-- ARGV: 1 principal id  2 its token hashes, as read before  3 its new token hashes  4 record  5 record of the token before
--       6 ms until that ends, 0 for now  7 generation  8 entry of the audit, as in queue-entry
--       9 offset of the clock in ms, 0 outside tests
-- Gives: 1 rotated | 0 it has changed since, or is gone | -1 the tenant is at another generation
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[7] then return -1 end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for i = 5, #KEYS do redis.call('DEL', KEYS[i]) end
if ARGV[6] ~= '0' then redis.call('SET', KEYS[5], ARGV[5], 'PX', ARGV[6]) end
redis.call('SET', KEYS[4], ARGV[4])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
queueEntry(KEYS[3], ARGV[8], ARGV[9])
return 1
