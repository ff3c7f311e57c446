-- Keeps a principal under the hash of its token.
-- KEYS: 1 principal (string)  2 principals (hash, token hashes by principal id)  3 generation
--       4 queue of the audit
-- ARGV: 1 principal id  2 token hash  3 record  4 the most principals  5 generation
--       6 entry of the audit, as in queue-entry  7 offset of the clock in ms, 0 outside tests
-- Gives: 1 created | 0 the token is in use | 2 there are too many | -1 the tenant is at another generation
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[5] then return -1 end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[4]) then return 2 end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
queueEntry(KEYS[4], ARGV[6], ARGV[7])
return 1
