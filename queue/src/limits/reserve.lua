-- Reserves the next slot of each of KEYS; returns the microseconds until each, 0 for now.
-- ARGV[1]: microseconds between two jobs, ARGV[2]: burst.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local slots = {}
for place, key in ipairs(KEYS) do
    local tat = math.max(tonumber(redis.call('GET', key) or now), now) + interval
    redis.call('SET', key, string.format('%.3f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
    slots[place] = math.ceil(math.max(0, tat - burst * interval - now))
end
return slots
