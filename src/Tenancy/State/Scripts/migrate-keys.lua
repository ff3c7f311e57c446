-- Copies keys of another deployment under a tenant, each with its entry in the index. Done again it changes nothing.
-- KEYS: 1 generation  2 migrated (sorted set of names, by the checksum of what was copied)  3.. the copies
-- ARGV: 1 generation  2 '1' to say only what would be  then per copy: its name, its checksum, its time to live in ms or 0 for none, and
--       what DUMP gave of it
-- Gives: per copy '0' copied | '1' it was copied before | '2' something else is there | what the server says against it
--        | -1 the tenant is at another generation
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return -1 end
local answer = {}
for i = 3, #KEYS do
  local at = 4 * (i - 3) + 3
  local known = redis.call('ZSCORE', KEYS[2], ARGV[at])
  if known then
    answer[#answer + 1] = tonumber(known) == tonumber(ARGV[at + 1]) and '1' or '2'
  elseif redis.call('EXISTS', KEYS[i]) == 1 then
    answer[#answer + 1] = '2'
  elseif ARGV[2] == '1' then
    answer[#answer + 1] = '0'
  else
    local made = redis.pcall('RESTORE', KEYS[i], ARGV[at + 2], ARGV[at + 3])
    if type(made) == 'table' and made.err then
      answer[#answer + 1] = made.err
    else
      redis.call('ZADD', KEYS[2], ARGV[at + 1], ARGV[at])
      answer[#answer + 1] = '0'
    end
  end
end
return answer
