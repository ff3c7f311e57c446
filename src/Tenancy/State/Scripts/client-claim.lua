-- Claims an issuer and a client for a tenant that takes the client for the audience, as an audience is claimed, or gives that up.
-- KEYS: 1 metadata of the tenant (hash)  2 routes (hash, URL, or issuer and audience -> id)
-- ARGV: 1 id  2 generation  3 the version that the tenant must have to give up the claim, empty to take it  4 the claim
--       5 what the tenant claims of the routes, as read before, as a JSON list  6 the same with the change
--       7 how many times the tenant had claimed a client when it was seen not to list this one; of no meaning where it is claimed
-- Gives: {1} done | {0, owner} it is another tenant's | {2} the tenant changed since it was read | {-1} it is gone, or another one
local current = redis.call('HMGET', KEYS[1], 'record', 'generation', 'version', 'urls', 'claimed')
if not current[1] or current[2] ~= ARGV[2] then return {-1} end
if current[4] ~= ARGV[5] then return {2} end
if ARGV[3] ~= '' and (current[3] ~= ARGV[3] or (current[5] or '') ~= ARGV[7]) then return {2} end
local owner = redis.call('HGET', KEYS[2], ARGV[4])
if owner and owner ~= ARGV[1] then return {0, owner} end
redis.call('HSET', KEYS[1], 'urls', ARGV[6])
if ARGV[3] == '' then
  redis.call('HINCRBY', KEYS[1], 'claimed', 1)
  redis.call('HSET', KEYS[2], ARGV[4], ARGV[1])
else
  redis.call('HDEL', KEYS[2], ARGV[4])
end
return {1}
