-- Keeps the answer to a claimed request of the admin API, or gives its key back where there is none to keep.
-- KEYS: 1 answers (hash, key by its hash)  2 index (sorted set, key's hash by when it is over, in ms)
-- ARGV: 1 hash of the key  2 token of the claim  3 answer, empty to give the key back
-- Gives: 1 done | 0 the claim has passed to another request
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored then return 0 end
local record = cjson.decode(stored)
if record.token ~= ARGV[2] or record.answer then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ request = record.request, token = record.token, answer = ARGV[3] }))
end
return 1
