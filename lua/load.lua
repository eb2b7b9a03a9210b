-- Puts up the gate of a deal where there is none, or one of an earlier deal, which goes with all it kept.
--
-- KEYS[1] hotdeal:stock:{p}     KEYS[2] hotdeal:admitted:{p}
-- KEYS[3] hotdeal:buyers:{p}    KEYS[4] hotdeal:inflight:{p}
--
-- ARGV[1] deal number           ARGV[2] deal id, hyphenated
-- ARGV[3] quantity              ARGV[4] owed, read in the same snapshot as the quantity
-- ARGV[5] limit of units for each buyer, '' for none
--
-- Reply: {status}.
--    3  STALE_CALLER: the gate is of a later deal; nothing was done
--    4  LOADED: the gate is new
--    5  KEPT: the deal has its gate already; nothing was done

local LOADED, KEPT = 4, 5

local deal, deal_id, quantity, owed, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local status = standing(redis.call('HGET', KEYS[1], 'deal'), tonumber(deal))
if status == STALE_CALLER then
  return { STALE_CALLER }
end
if status == OPEN then
  return { KEPT }
end

redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('HSET', KEYS[1], 'quantity', quantity, 'deal', deal, 'deal_id', deal_id, 'owed', owed)
if limit ~= '' then
  redis.call('HSET', KEYS[1], 'per_user_limit', limit)
end
return { LOADED }
