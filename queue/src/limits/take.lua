-- Takes up to ARGV[3] tokens of KEYS[1]: {granted, microseconds until the next}.
-- ARGV[1]: microseconds between two jobs, ARGV[2]: burst. A negative ARGV[3] gives tokens back.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
-- No take leaves a TAT further ahead than the burst: one that is comes from a clock that was wrong.
local tat = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), now + burst * interval)
local granted
if wanted < 0 then
    granted = wanted
    tat = math.max(now, tat + granted * interval)
else
    local room = math.floor((now + burst * interval - tat) / interval + 0.000001)
    granted = math.max(0, math.min(room, wanted))
    tat = tat + granted * interval
end
if granted ~= 0 then
    redis.call('SET', KEYS[1], string.format('%.3f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
end
return {granted, math.ceil(math.max(0, tat + interval - burst * interval - now))}
