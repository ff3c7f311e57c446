-- Lists a page of the clients, in the order in which they were listed.
-- KEYS: 1 clients (sorted set of entries "creation time.client hash", by expiry in ms)
-- ARGV: 1 the last entry of the page before, or empty  2 the most that are listed  3 offset of the clock in ms, 0 outside tests
-- Gives: {how many there are in all, entry, ...}, with one entry more where there is a next page
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[3])
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf')
table.sort(live)
local answer = {#live}
for _, entry in ipairs(live) do
  if entry > ARGV[1] then answer[#answer + 1] = entry end
  if #answer > tonumber(ARGV[2]) + 1 then break end
end
return answer
