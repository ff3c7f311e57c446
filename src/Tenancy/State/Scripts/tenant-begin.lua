-- Begins a generation of a tenant in its own slot, with the principals that it begins with. Done again it changes nothing.
-- KEYS: 1 generation  2 life: which registration began it  3 principals (hash, token hashes by principal id)
--       4 clients (sorted set, by expiry in ms)  5 documents (sorted set)  6 what the documents take up
--       7.. all that leads to what a tenant keeps, then each principal (string)
-- ARGV: 1 generation  2 offset of the clock in ms, 0 outside tests  3 what names this registration, or empty where an older release made it
--       4 'new' where it is to begin with nothing, 'kept' where it has what is there  5 number of keys before the principals
--       then per principal: its id, its token hash, its record
-- Gives: {1, principals, clients, documents, bytes of documents} it stands, with what there was before
--        | {0} it may not begin: a later one stands, because the tenant was deleted meanwhile; or a failover has lost in one of the two
--          places what became of an earlier tenant with the id, and what that one keeps is not this one's
local current, last = redis.call('GET', KEYS[1]), tonumber(ARGV[5])
if current and tonumber(current) > tonumber(ARGV[1]) then return {0} end
local isDone = current == ARGV[1]
-- Where what all tenants share has lost its last changes, their numbers come again.
if isDone and ARGV[3] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[3] then return {0} end
if not isDone and ARGV[4] == 'new' then
  for i = 7, last do
    if redis.call('EXISTS', KEYS[i]) == 1 then return {0} end
  end
end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[2])
local kept = {
  1,
  redis.call('HLEN', KEYS[3]),
  redis.call('ZCOUNT', KEYS[4], '(' .. string.format('%.0f', now), '+inf'),
  redis.call('ZCARD', KEYS[5]),
  redis.call('GET', KEYS[6]) or '0'
}
if isDone then return kept end
for i = last + 1, #KEYS do
  local at = 3 * (i - last) + 3
  -- A token that is in use stays with the principal that has it. It was free when the registration was prepared, so that it came into use
  -- between then and now.
  if redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('SET', KEYS[i], ARGV[at + 2])
    redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
  end
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[3])
return kept
