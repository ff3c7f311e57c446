-- Begins a generation of a tenant in its own slot, with the principals that it begins with. Done again it changes nothing.
-- KEYS: 1 generation  2 principals (hash, token hashes by principal id)  3 clients (sorted set, by expiry in ms)  4 documents (sorted set)
--       5 what the documents take up
--       6.. each principal (string)
-- ARGV: 1 generation  2 offset of the clock in ms, 0 outside tests  then per principal: its id, its token hash, its record
-- Gives: {1, principals, clients, documents, bytes of documents} it stands, with what there was before
--        | {0} a later one stands: the tenant was deleted meanwhile
local current = redis.call('GET', KEYS[1])
if current and tonumber(current) > tonumber(ARGV[1]) then return {0} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[2])
local kept = {
  1,
  redis.call('HLEN', KEYS[2]),
  redis.call('ZCOUNT', KEYS[3], '(' .. string.format('%.0f', now), '+inf'),
  redis.call('ZCARD', KEYS[4]),
  redis.call('GET', KEYS[5]) or '0'
}
if current == ARGV[1] then return kept end
for i = 6, #KEYS do
  local at = 3 * (i - 5)
  -- A token that is in use stays with the principal that has it. It was free when the registration was prepared, so that it came into use
  -- between then and now.
  if redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('SET', KEYS[i], ARGV[at + 2])
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
end
redis.call('SET', KEYS[1], ARGV[1])
return kept
