-- Keeps entries in a log of what tenants share. Done again with the same entries it changes nothing.
-- KEYS: 1 log (sorted set of "time.tag tenant text")  2 places (sorted set of "tenant time.tag")  3 their sizes in bytes (hash)
--       4 events, and 5 their last number, as in log-event, where the entries are told to those who follow
-- ARGV: 1 terms  2 'now' where the entries have no time yet, 'then' where they have  3.. entries
-- Gives: 1
local time = ''
if ARGV[2] == 'now' then time = string.format('%016.0f', timeOf(ARGV[1])) .. '.' end
-- What has its time lay in the store already, and makes room where it came from. A full store refuses what takes memory, until a script has
-- written something: this changes nothing.
if time == '' then redis.call('PERSIST', KEYS[1]) end
for i = 3, #ARGV do keepEntry(KEYS[1], KEYS[2], KEYS[3], ARGV[1], time .. ARGV[i], KEYS[4], KEYS[5]) end
return 1
