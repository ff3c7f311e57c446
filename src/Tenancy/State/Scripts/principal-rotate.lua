-- Gives a principal a new token. The one before it ends now or in a while, and one from before that ends now.
-- KEYS: 1 principals (hash, token hashes by principal id, the newest first)  2 generation  3 principal under the new token (string)
--       4 principal under the one before  5 .. under older ones
-- ARGV: 1 principal id  2 its token hashes, as read before  3 its new token hashes  4 record  5 record of the token before
--       6 ms until that ends, 0 for now  7 generation
-- Gives: 1 rotated | 0 it has changed since, or is gone | -1 the tenant is at another generation
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[7] then return -1 end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
if ARGV[6] ~= '0' then redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[6]) end
redis.call('SET', KEYS[3], ARGV[4])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
