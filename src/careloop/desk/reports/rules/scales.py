"""Round values for scales of charts, on the screen and on paper."""

from careloop.desk.measures.rules.definitions import COUNT, MEASURES

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SPAN_STEPS = (
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 4, 8, 12)),
    *(DAY * n for n in (1, 2, 4, 7, 14, 28, 84, 168)),
)


def measure_ticks(key: str, low: float, high: float) -> list[float]:
    """Round values of a measure's scale: spans in minutes, hours and days from 0, shares at most 1, counts whole and from 0."""
    measure = MEASURES[key]
    if measure.unit == "seconds":
        step = next((one for one in SPAN_STEPS if one * 5 >= high), SPAN_STEPS[-1])
        return [float(step * n) for n in range(max(1, int(-(-high // step))) + 1)]
    if measure.form == COUNT:
        return nice_ticks(0, max(high, 1.0), is_whole=True)
    ticks = nice_ticks(low, high)
    return sorted({min(one, 1.0) for one in ticks}) if measure.unit == "share" else ticks


def nice_ticks(low: float, high: float, *, steps: int = 4, is_whole: bool = False) -> list[float]:
    """Round values of a scale that holds both ends."""
    span = max(high - low, 1e-9)
    size = 10.0 ** len(str(int(span / steps))) / 10 if span / steps >= 1 else 1.0
    while size > span / steps and size > 1e-6:
        size /= 10
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10, 20) if size * factor >= span / steps)
    step = max(1.0, round(step)) if is_whole else step
    first = step * (low // step)
    found = [first]
    while found[-1] < high - 1e-9:
        found.append(found[-1] + step)
    return found
