-- Shared by every script: it is put in front of each of them when the service is compiled.
--
-- A gate is the four keys of one product, in one cluster slot:
--   hotdeal:stock:{p}     hash: quantity, deal (its number), deal_id, owed (as last seen),
--                         per_user_limit (absent: none)
--   hotdeal:admitted:{p}  hash: order id -> batch id, user id, units; ids are 16 raw bytes, the units
--                         decimal digits, with nothing between them
--   hotdeal:buyers:{p}    hash: user id -> units admitted; kept only for a deal with a limit
--   hotdeal:inflight:{p}  hash: batch id -> "<redis time in ms> <units it took> ", then the order ids
--                         that it admitted or passed
--
-- Every script reads all it needs before it writes, so that a key of a wrong type or a figure that is
-- no number stops it with nothing done.

local OPEN, MISSING, STALE_CALLER = 1, 2, 3

local ID_LEN = 16
-- Lua refuses to unpack more than about 8000 values at once; even, since HSET takes pairs.
local UNPACK_MAX = 4000

-- The whole number that `text` spells. Hexadecimal, fractions and what a double cannot hold exactly
-- are errors, which the caller gets as the script's.
local function whole(text, name)
  if not text or #text > 16 or not string.find(text, '^%-?%d+$') then
    error('gate: ' .. name .. ' is not a whole number')
  end
  return tonumber(text)
end

-- How a gate of deal number `deal` (false: none) stands to a caller who knows number `caller`.
local function standing(deal, caller)
  if not deal then
    return MISSING
  end
  local number = whole(deal, 'deal')
  if number < caller then
    return MISSING
  end
  return number == caller and OPEN or STALE_CALLER
end

-- Hands the gate what it is owed beyond what it has `seen`; the same number again, or an earlier one,
-- adds nothing. Returns the quantity and the number seen from now on.
local function hand_over(stock, quantity, seen, owed)
  if owed <= seen then
    return quantity, seen
  end
  quantity = quantity + owed - seen
  redis.call('HSET', stock, 'quantity', quantity, 'owed', owed)
  return quantity, owed
end

-- Milliseconds by the server's clock: the same for every replica of the service.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The batch ids or order ids in `blob` from byte `first` on.
local function ids_in(blob, first)
  local ids = {}
  for at = first, #blob, ID_LEN do
    ids[#ids + 1] = string.sub(blob, at, at + ID_LEN - 1)
  end
  return ids
end

-- `redis.call(command, key, values[first], …, values[last])`, in as many calls as unpacking needs.
local function call_each(command, key, values, first, last)
  for from = first, last, UNPACK_MAX do
    redis.call(command, key, unpack(values, from, math.min(from + UNPACK_MAX - 1, last)))
  end
end

-- The fields `values[first], …, values[last]` of a hash, `false` for those that are not there.
local function fields_of(key, values, first, last)
  if last < first then
    return {}
  end
  if last - first < UNPACK_MAX then
    return redis.call('HMGET', key, unpack(values, first, last))
  end
  local found = {}
  for from = first, last, UNPACK_MAX do
    for _, value in ipairs(redis.call('HMGET', key, unpack(values, from, math.min(from + UNPACK_MAX - 1, last)))) do
      found[#found + 1] = value
    end
  end
  return found
end
