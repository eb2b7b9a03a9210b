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
-- no number stops it with nothing done, save that `admit` forgets what it is told to forget first.

local OPEN, MISSING, STALE_CALLER = 1, 2, 3

local ID_LEN = 16
-- Lua refuses to unpack more than about 8000 values at once; even, since HSET takes pairs.
local UNPACK_MAX = 4000

-- The whole number that `text` spells, nil for hexadecimal, fractions and what a double cannot hold
-- exactly.
local function spelled(text)
  if text and #text <= 16 and string.find(text, '^%-?%d+$') then
    return tonumber(text)
  end
  return nil
end

-- The same where no number is an error, which the caller gets as the script's.
local function whole(text, name)
  return spelled(text) or error('gate: ' .. name .. ' is not a whole number')
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

-- The batch in flight that `entry` describes: when it was begun, the units it took, and where its order
-- ids begin. Nil when it cannot be read: only a hand can have written such an entry.
local function in_flight(entry)
  local at, units, first = string.match(entry, '^(%d+) (%d+) ()')
  at, units = spelled(at), spelled(units)
  if at and units then
    return at, units, first
  end
  return nil
end

-- What forgetting the admission of each `orders[i]` comes to, if it still carries the batch id
-- `batches[i]`: order ids to drop, counts of buyers to write, buyers to drop. Only reads. A figure that
-- cannot be read stands in nobody's way: it counts nothing.
local function forgetting(admitted, buyers, orders, batches)
  local plan = { orders = {}, counts = {}, gone = {} }
  local users, units_of, found = {}, {}, {}
  for i, admission in ipairs(fields_of(admitted, orders, 1, #orders)) do
    local id = orders[i]
    if admission and not found[id] and string.sub(admission, 1, ID_LEN) == batches[i] then
      found[id] = true
      plan.orders[#plan.orders + 1] = id
      local user = string.sub(admission, ID_LEN + 1, 2 * ID_LEN)
      if not units_of[user] then
        users[#users + 1] = user
        units_of[user] = 0
      end
      units_of[user] = units_of[user] + (spelled(string.sub(admission, 2 * ID_LEN + 1)) or 0)
    end
  end
  for i, count in ipairs(fields_of(buyers, users, 1, #users)) do
    if count then
      local rest = (spelled(count) or 0) - units_of[users[i]]
      if rest > 0 then
        plan.counts[#plan.counts + 1] = users[i]
        plan.counts[#plan.counts + 1] = rest
      else
        plan.gone[#plan.gone + 1] = users[i]
      end
    end
  end
  return plan
end

-- The same for `blob`: pairs of an order id and the id of the batch that may have admitted it.
local function forgetting_pairs(admitted, buyers, blob)
  local orders, batches = {}, {}
  for at = 1, #blob, 2 * ID_LEN do
    orders[#orders + 1] = string.sub(blob, at, at + ID_LEN - 1)
    batches[#batches + 1] = string.sub(blob, at + ID_LEN, at + 2 * ID_LEN - 1)
  end
  return forgetting(admitted, buyers, orders, batches)
end

-- Carries a plan of `forgetting` out.
local function forget(admitted, buyers, plan)
  call_each('HSET', buyers, plan.counts, 1, #plan.counts)
  call_each('HDEL', buyers, plan.gone, 1, #plan.gone)
  call_each('HDEL', admitted, plan.orders, 1, #plan.orders)
end
