-- Takes back that a request was counted against limits; see rate-limit.lua.
-- KEYS: 1..n limits (string, the theoretical arrival time in us, a colon, the time between requests that it was counted with)
-- ARGV: 1 offset of the clock in ms, 0 outside tests
-- Gives: 1
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(ARGV[1]) * 1000
for i = 1, #KEYS do
  local stored = redis.call('GET', KEYS[i])
  if stored then
    local at, interval = string.match(stored, '^(%d+):(%d+)$')
    local arrival = tonumber(at) - tonumber(interval)
    if arrival <= now then
      redis.call('DEL', KEYS[i])
    else
      redis.call('SET', KEYS[i], string.format('%.0f:%s', arrival, interval), 'PX', string.format('%.0f', math.ceil((arrival - now) / 1000)))
    end
  end
end
return 1
