-- What tenants claim of the routes. It stands before the scripts that change tenants.
-- A URL, or an issuer with an audience, is one tenant's: the claim is a field of the routes, and its value the tenant's id.
-- "clients ISSUER NAME" is that the tenant finds the clients of an issuer, which stand for its audience, by the claim NAME of a token; the
-- name is empty for the usual ones. All that do so at one issuer share it: the field "clients ISSUER" has how many they are, and the name.
local function sharedOf(claim) return string.match(claim, '^(clients %S+) (.*)$') end
local function holdersOf(routes, key)
  local count, name = string.match(redis.call('HGET', routes, key) or '0 ', '^(%d+) (.*)$')
  return tonumber(count), name
end
-- Takes a JSON list of what a tenant claims. Gives the claims, and by the fields of what it shares the claims of that.
local function claimsOf(list)
  local claims, shared = {}, {}
  for _, claim in ipairs(cjson.decode(list)) do
    claims[claim] = true
    local key = sharedOf(claim)
    if key then shared[key] = claim end
  end
  return claims, shared
end
-- Gives nothing where a tenant that shares this already can claim something, else who has it: a tenant, or the name that others share.
local function ownerOf(routes, id, claim, shared)
  local key, name = sharedOf(claim)
  if not key then
    local owner = redis.call('HGET', routes, claim)
    return owner and owner ~= id and owner or nil
  end
  local count, current = holdersOf(routes, key)
  if shared[key] then count = count - 1 end
  return count > 0 and current ~= name and current or nil
end
local function claimRoute(routes, id, claim)
  local key, name = sharedOf(claim)
  if not key then
    redis.call('HSET', routes, claim, id)
  else
    redis.call('HSET', routes, key, string.format('%d %s', holdersOf(routes, key) + 1, name))
  end
end
local function freeRoute(routes, id, claim)
  local key = sharedOf(claim)
  if not key then
    if redis.call('HGET', routes, claim) == id then redis.call('HDEL', routes, claim) end
    return
  end
  local count, name = holdersOf(routes, key)
  if count > 1 then
    redis.call('HSET', routes, key, string.format('%d %s', count - 1, name))
  else
    redis.call('HDEL', routes, key)
  end
end
