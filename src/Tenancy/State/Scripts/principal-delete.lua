-- Revokes a principal with all its tokens.
-- KEYS: 1 principals (hash, token hashes by principal id)  2 .. principal under each of its tokens (string)
-- ARGV: 1 principal id  2 its token hashes, as read before
-- Gives: 1 revoked | 0 it has changed since, or is gone
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
