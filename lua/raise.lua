-- Raises a gate that is too low, if it still is as the caller read it: only a hand can make it so.
--
-- KEYS[1] hotdeal:stock:{p}     KEYS[2] hotdeal:admitted:{p}
-- KEYS[3] hotdeal:buyers:{p}    KEYS[4] hotdeal:inflight:{p}
--
-- ARGV[1] deal number the caller knows
-- ARGV[2] quantity as read      ARGV[3] owed as read
-- ARGV[4] new quantity
--
-- Reply: {status}.
--    2  MISSING: no gate, or one of an earlier deal; nothing was done
--    3  STALE_CALLER: the gate is of a later deal; nothing was done
--    8  RAISED: the gate has the new quantity
--    9  CHANGED: the gate is not as read, or not below the new quantity; nothing was done

local RAISED, CHANGED = 8, 9

local gate = redis.call('HMGET', KEYS[1], 'deal', 'quantity', 'owed')
local status = standing(gate[1], tonumber(ARGV[1]))
if status ~= OPEN then
  return { status }
end
local quantity, owed = whole(gate[2], 'quantity'), whole(gate[3], 'owed')
local raised = tonumber(ARGV[4])
if quantity ~= tonumber(ARGV[2]) or owed ~= tonumber(ARGV[3]) or raised <= quantity then
  return { CHANGED }
end
redis.call('HSET', KEYS[1], 'quantity', raised)
return { RAISED }
