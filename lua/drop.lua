-- Takes the gate of a deal down, with all it kept.
--
-- KEYS[1] hotdeal:stock:{p}     KEYS[2] hotdeal:admitted:{p}
-- KEYS[3] hotdeal:buyers:{p}    KEYS[4] hotdeal:inflight:{p}
--
-- ARGV[1] deal number: gates up to this one go
--
-- Reply: {status}.
--    3  STALE_CALLER: the gate is of a later deal; nothing was done
--    6  DROPPED: the gate is gone
--    7  ABSENT: there was none

local DROPPED, ABSENT = 6, 7

local deal = redis.call('HGET', KEYS[1], 'deal')
if standing(deal, tonumber(ARGV[1])) == STALE_CALLER then
  return { STALE_CALLER }
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return { deal and DROPPED or ABSENT }
