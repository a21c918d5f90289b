"""How times, lengths and numbers are written for people."""

import datetime as dt


def in_hours(minutes: int) -> str:
    """A length of time as people read it."""
    days, rest = divmod(int(minutes), 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts[:2]) or "0 min"


def at(moment: dt.datetime) -> str:
    """A moment as people read it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def counted(number: int | None, noun: str) -> str:
    """A number of things."""
    return f"{number or 0:,} {noun}{'' if number == 1 else 's'}"
