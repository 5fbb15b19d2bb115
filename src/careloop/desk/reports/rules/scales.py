"""Round values for scales of charts, on the screen and on paper."""


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
