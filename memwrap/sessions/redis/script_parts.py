"""What the scripts on one session have in common."""

from __future__ import annotations

__all__ = ["PARTS"]

PARTS = """
local I, M, T, N, O, L, Z = unpack(KEYS)
local ID, TTL = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local DAY = 86400000

local function text(number) return string.format('%.0f', number) end
local function number_of(row) return tonumber(string.match(row, '^%d+')) end
local function body_of(row) return string.sub(row, string.find(row, ' ', 1, true) + 1) end

-- life, number of the newest row, version, end, time of the first row
local meta = redis.call('HMGET', M, 'life', 'num', 'ver', 'exp', 'made')
local alive = meta[1] and not (meta[4] and tonumber(meta[4]) <= now)
local function version() return alive and tonumber(meta[3]) or 0 end

local function wipe()
  redis.call('DEL', I, M, T, N, O)
  redis.call('ZREM', Z, ID)
end

-- What a write begins with: of an expired session nothing is left.
local function anew()
  if alive then return end
  if meta[1] then wipe() end
  local life = redis.call('HGET', L, 'life') or text(now)
  redis.call('HDEL', L, 'life')
  meta, alive = {life, text(now), 0, false, false}, true
  redis.call('HSET', M, 'life', life, 'num', text(now), 'ver', 0)
end

-- What a write ends with: the session lives as long from now on. The server forgets it a day later.
local function keep()
  if not TTL then return end
  redis.call('HSET', M, 'exp', text(now + TTL))
  for _, key in ipairs({I, M, T, N}) do
    redis.call('PEXPIREAT', key, text(math.floor((now + TTL) / 1000) + DAY))
  end
end

local function changed()
  meta[3] = redis.call('HINCRBY', M, 'ver', 1)
end

local function push(rows)
  for place = 1, #rows, 1000 do
    redis.call('RPUSH', I, unpack(rows, place, math.min(place + 999, #rows)))
  end
end

-- Append the arguments from a place on; return the number of the last.
local function append(first, stamp)
  local number, rows = tonumber(meta[2]), {}
  for place = first, #ARGV do
    number = number + 1
    rows[#rows + 1] = text(number) .. ' ' .. ARGV[place]
  end
  push(rows)
  meta[3] = tonumber(meta[3]) + 1
  local fields = {'num', text(number), 'upd', stamp, 'ver', meta[3]}
  if not meta[5] then fields[7], fields[8] = 'made', stamp end
  redis.call('HSET', M, unpack(fields))
  redis.call('ZADD', Z, stamp, ID)
  return number
end

-- Return the index of the first row with that number or a greater one: mostly there are no gaps.
local function place_of(number)
  local high = redis.call('LLEN', I)
  if high == 0 then return 0 end
  local function at(index) return number_of(redis.call('LINDEX', I, index)) end
  local guess = high - 1 - (at(high - 1) - number)
  if guess >= high then return high end
  if guess >= 0 and at(guess) == number then return guess end
  local low = 0
  while low < high do
    local middle = math.floor((low + high) / 2)
    if at(middle) < number then low = middle + 1 else high = middle end
  end
  return low
end

local function rows_at(low, high)
  return high > low and redis.call('LRANGE', I, low, high - 1) or {}
end

-- A turn: number, first, last, size, time, answers, token, id, fingerprint, shape, inputs, marks...
local function turn_at(rank)
  local found = redis.call('ZRANGE', T, rank, rank)[1]
  if found then return cjson.decode(found), found end
end

local function turn_by(number)
  local found = number and redis.call('ZRANGEBYSCORE', T, number, number)[1]
  if found then return cjson.decode(found), found end
end

-- Return the rank of the first turn that ends with that row or a later one.
local function rank_of(row)
  local low, high = 0, redis.call('ZCARD', T)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if turn_at(middle)[3] < row then low = middle + 1 else high = middle end
  end
  return low
end

local function forget(turn, member)
  redis.call('ZREM', T, member)
  local id = turn[8]
  if id ~= cjson.null and tonumber(redis.call('HGET', N, id) or 0) == turn[1] then
    redis.call('HDEL', N, id)
  end
end

-- Remove the rows of a range of indexes, and the turns that have some of them.
local function cut(low, high)
  local first, last = number_of(redis.call('LINDEX', I, low)),
    number_of(redis.call('LINDEX', I, high - 1))
  local tail = rows_at(high, redis.call('LLEN', I))
  if low > 0 then redis.call('LTRIM', I, 0, low - 1) else redis.call('DEL', I) end
  push(tail)
  local rank = rank_of(first)
  while true do
    local turn, member = turn_at(rank)
    if not turn or turn[2] > last then break end
    forget(turn, member)
  end
  changed()
end

local function is_stored(token)
  local rank = redis.call('ZCARD', T) - 1
  while rank >= 0 do
    if turn_at(rank)[7] == token then return true end
    rank = rank - 1
  end
  return false
end

local function spend(usage)
  local place = 0
  for amount in string.gmatch(usage, '%d+') do
    redis.call('HINCRBY', M, 'u' .. place, amount)
    place = place + 1
  end
end
"""
