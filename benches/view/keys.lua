-- Opens the links whose keys a file holds, a line each: `wrk -s keys.lua URL -- FILE THREADS first|again`. With `first`
-- each is opened once, and what is left over is counted.
local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init(args)
    keys, place, wrapped, bad = {}, 0, 0, 0
    local line_number, count = 0, tonumber(args[2])
    for line in io.lines(args[1]) do
        if line_number % count == number then
            keys[#keys + 1] = line
        end
        line_number = line_number + 1
    end
end

function request()
    place = place + 1
    if place > #keys then
        place, wrapped = 1, wrapped + 1
    end
    return wrk.format("GET", "/verify/?key=" .. keys[place])
end

function response(status)
    if status ~= 200 then
        bad = bad + 1
    end
end

function done(summary, latency, requests)
    local wrapped, bad = 0, 0
    for _, thread in ipairs(threads) do
        wrapped = wrapped + thread:get("wrapped")
        bad = bad + thread:get("bad")
    end
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.3f, "p50": %.2f, "p99": %.2f, "wrapped": %d, "bad": %d, "errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        wrapped, bad, errors.connect + errors.read + errors.write + errors.timeout))
end
