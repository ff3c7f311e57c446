-- Lists the tenants that changed after a version.
-- KEYS: 1 version  2 changes (sorted set, id by version)  3 history (sorted set, tag by version)
-- ARGV: 1 the version that a node has, empty where it asks for the present one only  2 the tag of that version, empty where it has none
--       3 the most tenants that are wanted  4 the last version that the node has made itself, empty where there is none  5 its tag
-- Gives: {1, version, its tag, id, version, id, version, ...} the tenants that changed up to the first version, which is the last one
--        where no more follow
--        | {0} the store has another history than the node, or one that does not reach back that far
local function tagAt(version) return redis.call('ZRANGEBYSCORE', KEYS[3], version, version)[1] or '' end
local last = redis.call('GET', KEYS[1]) or '0'
if ARGV[1] == '' then return {1, last, tagAt(last)} end
if tonumber(last) < tonumber(ARGV[1]) or tagAt(ARGV[1]) ~= ARGV[2] then return {0} end
if ARGV[4] ~= '' and tagAt(ARGV[4]) ~= ARGV[5] then return {0} end
if last == ARGV[1] then return {1, last, ARGV[2]} end
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', '0', ARGV[3])
local upTo = last
if #found == 2 * tonumber(ARGV[3]) then upTo = string.format('%.0f', tonumber(found[#found])) end
local answer = {1, upTo, tagAt(upTo)}
for i = 1, #found, 2 do
  answer[#answer + 1] = found[i]
  answer[#answer + 1] = string.format('%.0f', tonumber(found[i + 1]))
end
return answer
