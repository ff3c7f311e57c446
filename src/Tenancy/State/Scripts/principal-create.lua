-- Keeps a principal under the hash of its token.
-- KEYS: 1 principal (string)  2 principals (hash, token hash by principal id)
-- ARGV: 1 principal id  2 token hash  3 record
-- Gives: 1 created | 0 the token is in use
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
