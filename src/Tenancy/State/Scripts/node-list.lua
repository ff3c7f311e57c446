-- Lists the nodes that were heard of lately.
-- KEYS: 1 nodes (hash, what a node says of itself by its id)  2 node beats (sorted set, node by when it was heard of last, in ms)
-- ARGV: 1 after how many ms without a word a node counts as gone
-- Gives: {node, what it says of itself, ms since it was heard of, node, ...}
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local answer = {}
local beats = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now - tonumber(ARGV[1])), '+inf', 'WITHSCORES')
for i = 1, #beats, 2 do
  local said = redis.call('HGET', KEYS[1], beats[i])
  if said then
    answer[#answer + 1] = beats[i]
    answer[#answer + 1] = said
    answer[#answer + 1] = string.format('%.0f', now - tonumber(beats[i + 1]))
  end
end
return answer
