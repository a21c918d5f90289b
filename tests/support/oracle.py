"""An independent oracle: every number of the marts, in plain Python, from the definitions in the warehouse's contract.

It shares no code with the models. What the definitions leave open is taken from a warehouse: the users' keys, whose
salt is secret, the wording of error signatures that no pattern covers, and which of equally late repeats counts.
"""

import csv
import datetime as dt
import json
import math
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from project import GRAINS, ROOT
from warehouses import Marts, Row, Warehouse, as_text, assert_equal_marts, by_grain

_DAY = dt.timedelta(days=1)
_HOUR = dt.timedelta(hours=1)
_FIVE_MINUTES = dt.timedelta(minutes=5)
_WEEK = dt.timedelta(days=7)
_HALF_HOUR = dt.timedelta(minutes=30)
_CENT = Decimal("0.01")
_MOST_USD, _MOST_TOKENS, _MOST_MS = 1000, 10**9, 86_400_000
_NOTHING = ("", "NULL", "null", "\\N", "None", "NaN", "nan", "NaT", "<NA>", "N/A", "<null>", "(null)", "[NULL]",
            "undefined")  # fmt: skip
_GOOD = ("true", "t", "yes", "y", "on", "ok", "success", "successful", "succeeded", "completed")
_BAD = ("false", "f", "no", "n", "off", "error", "failed", "failure")
_TOTAL = re.compile(r"(grand_?)?total([_ ]?(costs?|price|amount|usd|spend))*|sum", re.IGNORECASE)
_NAN = re.compile(r"([:,\[]\s*)-?(?:NaN|Infinity)", re.ASCII)
_PLAIN_DECIMAL = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"([T ]((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d)?([.]\d{1,9})?"
    r"(?: ?(Z|UTC|[+-](?:0\d|1[0-4])(:?[0-5]\d)?))?)?",
    re.ASCII,
)


def _patterns() -> list[tuple[re.Pattern, str, str]]:
    with (ROOT / "seeds" / "error_patterns.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["position"]))
    flags = re.IGNORECASE | re.DOTALL
    return [(re.compile(row["pattern"], flags), row["error_category"], row["error_signature"]) for row in rows]


def _retryable() -> dict[str, bool]:
    with (ROOT / "seeds" / "error_categories.csv").open(newline="") as file:
        return {row["error_category"]: row["is_retryable"] == "true" for row in csv.DictReader(file)}


def _keys(document: str) -> list[tuple[str, str, str]]:
    """The keys of costs or tokens that are listed, in their order: key, step, what it counts."""
    with (ROOT / "seeds" / "document_keys.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["position"]))
    return [(row["key_name"], row["step"], row["counts"]) for row in rows if row["document"] == document]


def _scene_patterns() -> list[tuple[re.Pattern, str]]:
    with (ROOT / "seeds" / "scene_patterns.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["position"]))
    return [(re.compile(row["pattern"], re.IGNORECASE), row["scene_type"]) for row in rows]


_COST_KEYS, _TOKEN_KEYS, _TIMING_KEYS = _keys("costs"), _keys("tokens"), _keys("timings")
_SCENES = _scene_patterns()
_MB = 1_048_576
PATTERNS = _patterns()
RETRYABLE = _retryable()


# From the log's texts to values


def usable(value: object, highest: int) -> Decimal | None:
    """A number from 0 to the highest, to six decimals, however it is written."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = str(value)
    if len(text) >= 500 or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text.strip())
    # Decimals that far out are beyond use either way, and rounding them would need their digits.
    if abs(number) > 10**12:
        return None
    number = number.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return abs(number) if 0 <= number <= highest else None


def whole(number: Decimal | None) -> int | None:
    """Rounded half up."""
    return None if number is None else int(number.quantize(Decimal(1), ROUND_HALF_UP))


def document(text: str | None) -> object:
    """What strict JSON holds; None where it is none."""
    if text is None:
        return None

    def refuse(name: str) -> None:
        raise ValueError(name)

    def parsed(text: str) -> object:
        for attempt in (text, _NAN.sub(r'\1"NaN"', text)):
            try:
                return json.loads(attempt, parse_float=Decimal, parse_int=Decimal, parse_constant=refuse)
            except ValueError:
                pass
        return None

    found = parsed(text)
    return parsed(found) if isinstance(found, str) else found


def first_of(holder: object, names: Iterable[str]) -> object:
    """The value under the first of several names that has one."""
    if not isinstance(holder, dict):
        return None
    return next((holder[name] for name in names if holder.get(name) is not None), None)


def _tokens_by_step(tokens: object) -> tuple[dict[str | None, list[Decimal | None]], bool]:
    """Input, output and total of each step, that of None being the whole generation, and whether one is unusable."""
    if not isinstance(tokens, dict):
        return {}, False
    names = {counts: [key for key, _, of in _TOKEN_KEYS if of == counts] for counts in ("input", "output", "total")}
    spelled = {
        step: [key for key, of, counts in _TOKEN_KEYS if of == step and not counts] for step in ("vision", "image")
    }
    listed = {key for key, _, _ in _TOKEN_KEYS}
    listed |= {f"{step}_{key}" for keys in spelled.values() for step in keys for of in names.values() for key in of}
    found: dict[str | None, list] = {None: [first_of(tokens, keys) for keys in names.values()]}
    for step, step_keys in spelled.items():
        found[step] = [
            next(
                (
                    value
                    for step_key in step_keys
                    for key in keys
                    for value in (tokens.get(f"{step_key}_{key}"), first_of(tokens.get(step_key), [key]))
                    if value is not None
                ),
                None,
            )
            for keys in names.values()
        ]
    for key, value in tokens.items():
        if key in listed or re.search("cache|reasoning|thought", key, re.IGNORECASE):
            continue
        if isinstance(value, dict):
            found[key] = [first_of(value, keys) for keys in names.values()]
        elif isinstance(value, str | Decimal):
            for place, counts in enumerate(("input", "output")):
                ending = next((each for each in names[counts] if key.lower().endswith(f"_{each.lower()}")), None)
                if ending:
                    of_step = [None] * 3
                    of_step[place] = value
                    found[key] = of_step
    numbers = {step: [usable(value, _MOST_TOKENS) for value in values] for step, values in found.items()}
    invalid = any(
        value is not None and number is None
        for step, values in found.items()
        for value, number in zip(values, numbers[step], strict=True)
    )
    return numbers, invalid


def moment(text: str | None, zone: str) -> dt.datetime | None:
    """A time as UTC without zone."""
    match = _TIME.fullmatch(text.strip(" ")) if text else None
    if not match:
        return None
    day, _, minutes, seconds, fraction, offset, _ = match.groups()
    try:
        found = dt.datetime.fromisoformat(f"{day}T{minutes or '00:00'}{seconds or ':00'}")
    except ValueError:
        return None
    found += dt.timedelta(microseconds=int((fraction or ".0")[1:7].ljust(6, "0")))
    if offset and offset not in ("Z", "UTC"):
        sign = -1 if offset[0] == "-" else 1
        digits = offset[1:].replace(":", "").ljust(4, "0")
        return found - sign * dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if not offset and zone != "UTC":
        return found.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).replace(tzinfo=None)
    return found


@dataclass
class Generation:
    """A row of the log as it should be understood."""

    generation_id: uuid.UUID | None
    created_at: dt.datetime | None
    user_key: uuid.UUID | None
    job_id: str | None
    style: str
    # as logged
    spelling: str | None
    difficulty: int | None
    is_success: bool
    error_category: str | None
    # None on a failure: any wording will do
    error_signature: str | None
    duration_ms: int | None
    vision_cost_usd: Decimal | None
    image_cost_usd: Decimal | None
    storage_cost_usd: Decimal | None
    unattributed_cost_usd: Decimal | None
    total_cost_usd: Decimal | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    vision_input_tokens: int | None
    vision_output_tokens: int | None
    image_input_tokens: int | None
    image_output_tokens: int | None
    scene_type: str | None
    photo_size_bytes: int | None
    model: str | None
    vision_ms: int | None
    image_ms: int | None
    storage_ms: int | None
    issues: set[str] = field(default_factory=set)
    set_aside: str | None = None

    @property
    def activity_date(self) -> dt.date | None:
        """The day it belongs to."""
        return self.created_at.date() if self.created_at else None

    @property
    def activity_hour(self) -> dt.datetime:
        """The hour it belongs to."""
        return self.created_at.replace(minute=0, second=0, microsecond=0)

    @property
    def is_timed_success(self) -> bool:
        """Does its duration count?"""
        return self.is_success and self.duration_ms is not None

    @property
    def bucket(self) -> int:
        """The bucket of the duration: the least b with (101/99)^b of at least that many ms, in whole numbers."""
        if self.duration_ms == 0:
            return -1
        near = max(0, int(math.log(self.duration_ms) / math.log(101 / 99)) - 2)
        return next(b for b in range(near, near + 5) if 101**b >= self.duration_ms * 99**b)


def understand(row: Row, user_key: Callable[[str], uuid.UUID], now: dt.datetime, zone: str) -> Generation:
    """Read one row of the log."""
    texts = {name: as_text(value) for name, value in row.items()}

    def filled(name: str) -> str | None:
        text = (texts.get(name) or "").strip(" ")
        return None if text in _NOTHING else text

    issues = set()

    def known_as(issue: str, fact: bool) -> None:
        if fact:
            issues.add(issue)

    user_id = filled("user_id")
    if user_id and _UUID.fullmatch(user_id):
        user_id = user_id.lower()
    elif user_id and re.fullmatch("[0-9]+[.]0", user_id):
        user_id = user_id.removesuffix(".0")
    known_as("missing_user", user_id is None)

    difficulty = usable(texts["difficulty"], 10)
    if difficulty is not None and (difficulty < 1 or difficulty % 1):
        difficulty = None
    known_as("invalid_difficulty", difficulty is None)

    duration = usable(texts["duration_ms"], _MOST_MS)
    known_as("invalid_duration", duration is None)

    outcome = (filled("success") or "").lower()
    outcome_number = Decimal(outcome) if _PLAIN_DECIMAL.fullmatch(outcome) else None
    is_success = outcome in _GOOD or outcome_number == 1
    known_as("missing_outcome", not is_success and outcome not in _BAD and outcome_number != 0)
    error = filled("error_message")
    known_as("contradictory_outcome", is_success and error is not None)
    known_as("missing_error_message", not is_success and error is None)
    category = signature = None
    if not is_success:
        matching = (each for each in PATTERNS if error and each[0].search(error))
        _, category, signature = next(matching, (None, "unknown", None if error else "(no message)"))

    costs = document(filled("costs"))
    costs = costs if isinstance(costs, dict) else {}
    logged = {
        part: first_of(costs, [key for key, step, counts in _COST_KEYS if step == part and counts == "amount"])
        for part in ("vision", "image", "storage", "")
    }
    usd = {part: usable(value, _MOST_USD) for part, value in logged.items()}
    listed = {key for key, _, _ in _COST_KEYS}
    unlisted = {key: usable(value, _MOST_USD) for key, value in costs.items() if key not in listed}
    unlisted = {key: value for key, value in unlisted.items() if value is not None}
    totals = [value for key, value in unlisted.items() if _TOTAL.fullmatch(key)]
    others = [value for key, value in unlisted.items() if not _TOTAL.fullmatch(key)]
    known_as("malformed_costs", not unlisted and all(value is None for value in logged.values()))
    known_as("invalid_cost", any(logged[part] is not None and usd[part] is None for part in usd))
    parts = [usd[part] for part in ("vision", "image", "storage") if usd[part] is not None]
    total = max(totals, default=None) if usd[""] is None else usd[""]
    if total is None and (parts or others):
        total = sum(parts + others)
    if usd[""] is not None and parts:
        known_as("cost_mismatch", all(abs(total - known) > _CENT for known in (sum(parts), sum(parts + others))))
    if not is_success and total == 0 and not any(parts + others):
        known_as("unrecorded_cost", True)
        usd, total = dict.fromkeys(usd), None

    steps, invalid = _tokens_by_step(document(filled("tokens")))
    known_as("malformed_tokens", not invalid and all(value is None for step in steps.values() for value in step))
    known_as("invalid_tokens", invalid)
    whole_one = steps.pop(None, [None] * 3)

    def over_steps(place: int) -> Decimal | None:
        numbers = [step[place] for step in steps.values() if step[place] is not None]
        return whole_one[place] if whole_one[place] is not None else sum(numbers) if numbers else None

    into, out_of, all_together = over_steps(0), over_steps(1), whole_one[2]
    if all_together is None and any(step[2] is not None for step in steps.values()):
        all_together = sum(
            in_all if in_all is not None else (step_in or 0) + (step_out or 0)
            for step_in, step_out, in_all in steps.values()
        )
    elif all_together is None and into is not None and out_of is not None:
        all_together = into + out_of
    by_step = {name: steps.get(name, [None] * 3) for name in ("vision", "image")}
    if not is_success and not any([into, out_of, all_together]):
        into = out_of = all_together = None
        by_step = dict.fromkeys(by_step, [None] * 3)

    scene, photo_size, timings = filled("scene"), filled("photo_size"), document(filled("timings"))
    scene_type = next(
        (kind for pattern, kind in _SCENES if scene and pattern.search(scene)), "other" if scene else None
    )
    size = usable(photo_size, 10**11)
    known_as("invalid_photo_size", photo_size is not None and size is None)
    step_times = {
        step: first_of(timings, [key for key, of, _ in _TIMING_KEYS if of == step])
        for step in ("vision", "image", "storage")
    }
    step_ms = {step: usable(value, _MOST_MS) for step, value in step_times.items()}
    known_as("invalid_timings", filled("timings") is not None and timings is None)
    known_as("invalid_timings", any(step_times[step] is not None and step_ms[step] is None for step in step_ms))

    identity = (texts["id"] or "").strip(" ")
    created_at = moment(texts["created_at"], zone)
    if created_at and created_at.year < 2000:
        created_at = None
    set_aside = None
    if not _UUID.fullmatch(identity):
        identity, set_aside = None, "missing_id"
    elif created_at is None:
        set_aside = "missing_created_at"
    elif created_at > now + _FIVE_MINUTES:
        set_aside = "future_created_at"

    return Generation(
        generation_id=uuid.UUID(identity) if identity else None,
        created_at=created_at,
        user_key=user_key(user_id) if user_id else None,
        job_id=filled("job_id"),
        style=" ".join(re.sub("[ _-]+", " ", filled("style") or "").split()).lower()[:100].strip() or "unknown",
        spelling=filled("style"),
        difficulty=whole(difficulty),
        is_success=is_success,
        error_category=category,
        error_signature=signature,
        duration_ms=whole(duration),
        vision_cost_usd=usd["vision"],
        image_cost_usd=usd["image"],
        storage_cost_usd=usd["storage"],
        unattributed_cost_usd=None if total is None else total - sum(parts),
        total_cost_usd=total,
        input_tokens=whole(into),
        output_tokens=whole(out_of),
        total_tokens=whole(Decimal(all_together)) if all_together is not None else None,
        vision_input_tokens=whole(by_step["vision"][0]),
        vision_output_tokens=whole(by_step["vision"][1]),
        image_input_tokens=whole(by_step["image"][0]),
        image_output_tokens=whole(by_step["image"][1]),
        scene_type=scene_type,
        photo_size_bytes=whole(size),
        model=" ".join((filled("model") or "").split()).lower()[:100].strip() or None,
        vision_ms=whole(step_ms["vision"]),
        image_ms=whole(step_ms["image"]),
        storage_ms=whole(step_ms["storage"]),
        issues=issues,
        set_aside=set_aside,
    )


# Measures


def count_of(rows: Iterable[Generation], name: str) -> int:
    """How many know this value."""
    return sum(getattr(row, name) is not None for row in rows)


def total_of(rows: Iterable[Generation], name: str) -> int:
    """The sum of the known values."""
    return sum(getattr(row, name) or 0 for row in rows)


def usd_of(rows: Iterable[Generation], name: str = "total_cost_usd") -> Decimal:
    """The sum of the known amounts."""
    return sum((getattr(row, name) or Decimal(0) for row in rows), Decimal(0))


def quotient(numerator: Decimal | int, denominator: Decimal | int) -> float | None:
    """None where the denominator is 0."""
    return float(numerator) / float(denominator) if denominator else None


def percentile(values: Iterable[int], share: float) -> float | None:
    """Exact, interpolated between the neighbouring ranks."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def users_of(rows: Iterable[Generation]) -> set[uuid.UUID]:
    """The users in some rows."""
    return {row.user_key for row in rows if row.user_key}


def grouped(rows: Iterable[Generation], *names: str) -> dict[tuple, list[Generation]]:
    """Rows by the values of some columns."""
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(getattr(row, name) for name in names)].append(row)
    return groups


def _durations(rows: list[Generation]) -> Row:
    known = [row.duration_ms for row in rows if row.is_timed_success]
    return {
        "timed_success_count": len(known),
        "total_duration_ms": sum(known),
        "avg_duration_ms": quotient(sum(known), len(known)),
        "p50_duration_ms": percentile(known, 0.5),
        "p95_duration_ms": percentile(known, 0.95),
        "p99_duration_ms": percentile(known, 0.99),
    }


def _tokens(rows: list[Generation]) -> Row:
    return {name: total_of(rows, name) for name in ("input_tokens", "output_tokens", "total_tokens")} | _counted(rows)


def _counted(rows: list[Generation]) -> Row:
    return {f"counted_{of}_generation_count": count_of(rows, f"{of}_tokens") for of in ("input", "output")}


def _parts(rows: list[Generation]) -> Row:
    names = ("vision_cost_usd", "image_cost_usd", "storage_cost_usd", "unattributed_cost_usd")
    return {name: usd_of(rows, name) for name in names}


def _successes(rows: list[Generation]) -> list[Generation]:
    return [row for row in rows if row.is_success]


def _failures(rows: list[Generation]) -> list[Generation]:
    return [row for row in rows if not row.is_success]


def _style_measures(rows: list[Generation]) -> Row:
    good = len(_successes(rows))
    return {
        "generation_count": len(rows),
        "success_count": good,
        "failure_count": len(rows) - good,
        "success_rate": quotient(good, len(rows)),
        "active_users": len(users_of(rows)),
        **_durations(rows),
        "costed_generation_count": count_of(rows, "total_cost_usd"),
        "total_cost_usd": usd_of(rows),
        "avg_cost_usd": quotient(usd_of(rows), count_of(rows, "total_cost_usd")),
        "failed_cost_usd": usd_of(_failures(rows)),
        "costed_failure_count": count_of(_failures(rows), "total_cost_usd"),
        "cost_per_success_usd": quotient(usd_of(rows), good),
        **_tokens(rows),
    }


# The warehouse


class Oracle:
    """What every mart should hold, given the rows of a log."""

    def __init__(
        self,
        rows: Iterable[Row],
        user_key: Callable[[str], uuid.UUID],
        *,
        as_of: dt.datetime | None = None,
        zone: str = "UTC",
        fact: Iterable[Row] = (),
        begins_on: dt.date | None = None,
    ) -> None:
        """`as_of` is the clock where it is not the log's own. `fact` holds the rows of fct_generations; it decides what
        the definitions leave open: the wording of a signature that no pattern covers, and which of several equally late
        rows of one id counts."""
        self._fact = {(row["generation_id"], row["activity_date"]): row for row in fact}
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        read = [understand(row, user_key, now, zone) for row in rows]
        known = [row.created_at for row in read if row.created_at and row.created_at <= now + _FIVE_MINUTES]
        known = [time for time in known if not as_of or time <= as_of]
        self.as_of = (as_of or max(known)) if known else None
        # Newer rows are left out, unless they are in the future for anybody.
        read = [
            row
            for row in read
            if not row.created_at
            or row.created_at > now + _FIVE_MINUTES
            or (self.as_of and row.created_at <= self.as_of)
        ]
        # What the log had before its first row is not known, unless somebody says that it begins there.
        dated = [row.created_at for row in read if row.created_at and self.as_of and row.created_at <= self.as_of]
        self.held_from = min(dated, default=None)
        self.unknown_before = self.held_from.date() if dated and not begins_on else None
        if dated and begins_on:
            self.held_from = min(_day_of(self.held_from), dt.datetime.combine(begins_on, dt.time()))
        self.set_aside = [row for row in read if row.set_aside]
        self.generations, self.repeated = [], []
        sound = [row for row in read if not row.set_aside]
        for key, same in grouped(sound, "generation_id", "activity_date").items():
            counted = self._counted(key, same)
            self.generations.append(counted)
            self.repeated += [row for row in same if row is not counted]
        for row in self.generations:
            if row.error_category and row.error_signature is None:
                row.error_signature = self._fact[row.generation_id, row.activity_date]["error_signature"]
        self.by_user: dict[uuid.UUID, list[Generation]] = {
            user: rows for (user,), rows in grouped(self.generations, "user_key").items() if user
        }
        self.first_at = {user: min(row.created_at for row in rows) for user, rows in self.by_user.items()}
        self.days_of = {user: {row.activity_date for row in rows} for user, rows in self.by_user.items()}

    def _counted(self, key: tuple, same: list[Generation]) -> Generation:
        latest = max(row.created_at for row in same)
        candidates = [row for row in same if row.created_at == latest]
        if len(candidates) == 1:
            return candidates[0]
        chosen = self._fact[key]
        fitting = [
            row
            for row in candidates
            if all(
                value == chosen[name] or (name == "error_signature" and value is None)
                for name, value in vars(row).items()
                if name in chosen
            )
        ]
        assert fitting, f"{key} in the fact is none of the latest rows of the log: {chosen}"
        return fitting[0]

    def _is_complete(self, start: dt.date | dt.datetime | None, length: dt.timedelta) -> bool:
        if start is None or self.as_of is None:
            return False
        if not isinstance(start, dt.datetime):
            start = dt.datetime.combine(start, dt.time())
        try:
            return start + length <= self.as_of and start >= self.held_from
        except OverflowError:
            return False

    def _groups(
        self,
        measures: Callable[[list[Generation]], Row],
        *names: str,
        rows: Iterable[Generation] | None = None,
        length: dt.timedelta = _DAY,
    ) -> list[Row]:
        """A row for each combination of values, with its measures."""
        return [
            dict(zip(names, key, strict=True)) | measures(group) | {"is_complete": self._is_complete(key[0], length)}
            for key, group in grouped(self.generations if rows is None else rows, *names).items()
        ]

    def _every(self, start: Callable[[dt.datetime], dt.datetime], length: dt.timedelta) -> list[dt.datetime]:
        """Every hour, day or window from the first generation to the clock."""
        if not self.generations:
            return []
        first = start(min(row.created_at for row in self.generations))
        return [first + length * number for number in range((self.as_of - first) // length + 1)]

    def marts(self) -> Marts:
        """All marts by their grain."""
        return {name: by_grain(name, getattr(self, name)()) for name in GRAINS if name != "int_user_days"}

    # core

    def fct_generations(self) -> list[Row]:
        """One row per generation."""
        return [
            {name: value for name, value in vars(row).items() if name not in ("issues", "set_aside", "spelling")}
            | {
                "activity_date": row.activity_date,
                "activity_hour": row.activity_hour,
                "is_complete": self._is_complete(row.activity_date, _DAY),
            }
            for row in self.generations
        ]

    def dim_users(self) -> list[Row]:
        """One row per user."""
        by_spend = sorted(self.by_user, key=lambda user: (-usd_of(self.by_user[user]), user.int))
        users = []
        for rank, user in enumerate(by_spend, 1):
            rows = self.by_user[user]
            first = self.first_at[user]
            styles = {
                style: (-len(group), -max(row.created_at for row in group).timestamp(), style.encode())
                for (style,), group in grouped(rows, "style").items()
            }
            tier = "standard"
            if usd_of(rows) > 0 and rank <= math.ceil(len(by_spend) / 100):
                tier = "top_1_percent"
            elif usd_of(rows) > 0 and rank <= math.ceil(len(by_spend) / 10):
                tier = "next_9_percent"
            users.append(
                {
                    "user_key": user,
                    "first_generation_at": first,
                    "last_generation_at": max(row.created_at for row in rows),
                    "active_days": len(self.days_of[user]),
                    "generation_count": len(rows),
                    "success_count": len(_successes(rows)),
                    "total_cost_usd": usd_of(rows),
                    "is_first_success": any(row.is_success for row in rows if row.created_at == first),
                    "favourite_style": min(styles, key=styles.get),
                    "value_tier": tier,
                    "lifecycle_stage": self._stage(user, self.as_of.date())
                    if self._knows(self.as_of.date() - 13 * _DAY)
                    else None,
                    "first_style": min(row.style for row in rows if row.created_at == first),
                }
            )
        return users

    def _knows(self, day: dt.date) -> bool:
        """Does the warehouse know what was on that day?"""
        return self.unknown_before is None or day >= self.unknown_before

    def _has_older_users(self, day: dt.date) -> bool:
        return self.unknown_before is not None and (day - self.unknown_before).days < 28

    def dim_styles(self) -> list[Row]:
        """One row per style."""
        found = []
        for (style,), rows in grouped(self.generations, "style").items():
            spellings = Counter((row.spelling or style)[:100] for row in rows)
            days = [row.activity_date for row in rows]
            found.append(
                {
                    "style": style,
                    "display_name": min(spellings, key=lambda name, of=spellings: (-of[name], name.encode())),
                    "first_seen_date": min(days),
                    "last_seen_date": max(days),
                    "generation_count": len(rows),
                }
            )
        return found

    def int_style_spellings(self) -> list[Row]:
        """By day, style and spelling."""
        return [
            {
                "activity_date": day,
                "style": style,
                "spelling": spelling,
                "generation_count": count,
                "is_complete": self._is_complete(day, _DAY),
            }
            for (day, style, spelling), count in Counter(
                (row.activity_date, row.style, (row.spelling or row.style)[:100]) for row in self.generations
            ).items()
        ]

    def warehouse_clock(self) -> list[Row]:
        """What the tables know of time and leave out; what the wall clock and the alerts say is not here."""
        days = [row["activity_date"] for row in self.daily_engagement()]
        return [
            {
                "as_of": self.as_of,
                "first_activity_date": min(days, default=None),
                "last_complete_date": max((day for day in days if self._is_complete(day, _DAY)), default=None),
                "newest_generation_at": max((row.created_at for row in self.generations), default=None),
                "set_aside_row_count": sum(
                    row["row_count"] for row in self.generation_log_issues() if row["disposition"] == "set_aside"
                ),
                "retention_lag_days": 0,
            }
        ]

    def _stage(self, user: uuid.UUID, day: dt.date) -> str:
        this_week = any(day - 6 * _DAY <= active <= day for active in self.days_of[user])
        week_before = any(day - 13 * _DAY <= active <= day - 7 * _DAY for active in self.days_of[user])
        if not this_week:
            return "dormant" if week_before else "inactive"
        if self.first_at[user].date() >= day - 6 * _DAY:
            return "new"
        return "returning" if week_before else "resurrected"

    def generation_log_issues(self) -> list[Row]:
        """What is wrong with the log, `detail` left out."""
        found = [(row, issue, "counted") for row in self.generations for issue in row.issues]
        found += [(row, row.set_aside, "set_aside") for row in self.set_aside]
        found += [(row, "duplicate_id", "repeated") for row in self.repeated]
        groups = defaultdict(list)
        for row, issue, disposition in found:
            groups[row.activity_date, row.generation_id, row.created_at, issue, disposition].append(row.user_key)
        return [
            {
                "activity_date": key[0],
                "generation_id": key[1],
                "created_at": key[2],
                "issue": key[3],
                "disposition": key[4],
                "row_count": len(users),
                "user_key": users[0] if len(set(users)) == 1 else None,
                "is_complete": self._is_complete(key[0], _DAY),
            }
            for key, users in groups.items()
        ]

    # product and cost

    def style_performance(self) -> list[Row]:
        """By day and style."""
        return self._groups(_style_measures, "activity_date", "style")

    def style_difficulty_performance(self) -> list[Row]:
        """By day, style and difficulty."""
        return self._groups(_style_measures, "activity_date", "style", "difficulty")

    def cost_by_difficulty(self) -> list[Row]:
        """By day and difficulty."""

        def measures(rows: list[Generation]) -> Row:
            good = _successes(rows)
            return {
                "generation_count": len(rows),
                "success_count": len(good),
                "success_costed_count": count_of(good, "total_cost_usd"),
                "success_cost_usd": usd_of(good),
                "avg_success_cost_usd": quotient(usd_of(good), count_of(good, "total_cost_usd")),
                "failed_cost_usd": usd_of(_failures(rows)),
                "costed_failure_count": count_of(_failures(rows), "total_cost_usd"),
                "total_cost_usd": usd_of(rows),
                "cost_per_success_usd": quotient(usd_of(rows), len(good)),
                **_parts(rows),
                **_tokens(rows),
            }

        return self._groups(measures, "activity_date", "difficulty")

    def cost_by_user(self) -> list[Row]:
        """By day and user."""

        def measures(rows: list[Generation]) -> Row:
            return {
                "generation_count": len(rows),
                "success_count": len(_successes(rows)),
                "total_cost_usd": usd_of(rows),
                "failed_cost_usd": usd_of(_failures(rows)),
                "costed_failure_count": count_of(_failures(rows), "total_cost_usd"),
                "total_tokens": total_of(rows, "total_tokens"),
                **_counted(rows),
            }

        rows = [row for row in self.generations if row.user_key]
        return self._groups(measures, "activity_date", "user_key", rows=rows)

    def hourly_costs(self) -> list[Row]:
        """Every hour."""
        by_hour = grouped(self.generations, "activity_hour")
        hours, previous = [], None
        for hour in self._every(_hour_of, _HOUR):
            rows = by_hour.get((hour,), [])
            cost = usd_of(rows)
            hours.append(
                {
                    "activity_hour": hour,
                    "generation_count": len(rows),
                    "total_cost_usd": cost,
                    **_parts(rows),
                    "failed_cost_usd": usd_of(_failures(rows)),
                    "costed_failure_count": count_of(_failures(rows), "total_cost_usd"),
                    "costed_generation_count": count_of(rows, "total_cost_usd"),
                    "previous_hour_cost_usd": previous,
                    "cost_change_ratio": None if previous is None else quotient(cost - previous, previous),
                    "is_complete": self._is_complete(hour, _HOUR),
                }
            )
            previous = cost
        return hours

    # engagement

    def hourly_engagement(self) -> list[Row]:
        """Every hour."""
        by_hour = grouped(self.generations, "activity_hour")
        newcomers = [_hour_of(first) for first in self.first_at.values()]
        return [
            {
                "activity_hour": hour,
                "generation_count": len(rows),
                "success_count": len(_successes(rows)),
                "failure_count": len(_failures(rows)),
                "active_users": len(users_of(rows)),
                "new_users": newcomers.count(hour),
                "total_cost_usd": usd_of(rows),
                "costed_generation_count": count_of(rows, "total_cost_usd"),
                "is_complete": self._is_complete(hour, _HOUR),
            }
            for hour in self._every(_hour_of, _HOUR)
            for rows in [by_hour.get((hour,), [])]
        ]

    def daily_engagement(self) -> list[Row]:
        """Every day."""
        by_day = {day: rows for (day,), rows in grouped(self.generations, "activity_date").items()}

        def active(first: dt.date, last: dt.date) -> set[uuid.UUID]:
            return {user for user, days in self.days_of.items() if any(first <= day <= last for day in days)}

        days = []
        for midnight in self._every(_day_of, _DAY):
            day = midnight.date()
            rows = by_day.get(day, [])
            daily, weekly, monthly = (active(day - span * _DAY, day) for span in (0, 6, 29))
            week_before = active(day - 13 * _DAY, day - 7 * _DAY)
            knows_week, knows_two_weeks, knows_month = (self._knows(day - span * _DAY) for span in (6, 13, 29))
            weekly_new = {user for user in weekly if self.first_at[user].date() >= day - 6 * _DAY}
            days.append(
                {
                    "activity_date": day,
                    "daily_active_users": len(daily),
                    "weekly_active_users": len(weekly) if knows_week else None,
                    "monthly_active_users": len(monthly) if knows_month else None,
                    "stickiness_ratio": quotient(len(daily), len(monthly)) if knows_month else None,
                    "new_users": sum(first.date() == day for first in self.first_at.values()),
                    "weekly_new_users": len(weekly_new) if knows_two_weeks else None,
                    "weekly_returning_users": len((weekly & week_before) - weekly_new) if knows_two_weeks else None,
                    "weekly_resurrected_users": len(weekly - week_before - weekly_new) if knows_two_weeks else None,
                    "weekly_dormant_users": len(week_before - weekly) if knows_two_weeks else None,
                    "generation_count": len(rows),
                    "generations_per_active_user": quotient(len(rows), len(daily)),
                    "has_older_users": self._has_older_users(day),
                    "is_complete": self._is_complete(day, _DAY),
                }
            )
        return days

    def user_retention(self) -> list[Row]:
        """Every cohort and each of its periods that has begun."""
        if not self.by_user:
            return []
        today = self.as_of.date()
        found = []
        for grain, length, start in (("day", _DAY, lambda day: day), ("week", _WEEK, _monday)):
            cohorts = defaultdict(list)
            for user, first in self.first_at.items():
                cohorts[start(first.date())].append({start(day) for day in self.days_of[user]})
            for cohort, members in cohorts.items():
                last = (start(today) - cohort) // length
                for number in range(min(last, 90 if grain == "day" else last) + 1):
                    period = cohort + number * length
                    exactly = sum(period in periods for periods in members)
                    or_later = sum(max(periods) >= period for periods in members)
                    complete = self._is_complete(period, length)
                    found.append(
                        {
                            "cohort_grain": grain,
                            "cohort_date": cohort,
                            "period_number": number,
                            "cohort_size": len(members),
                            "retained_users": exactly,
                            "retention_rate": exactly / len(members) if complete else None,
                            "retained_on_or_after_users": or_later,
                            "unbounded_retention_rate": or_later / len(members) if complete else None,
                            "has_older_users": self._has_older_users(cohort),
                            "is_complete": complete,
                        }
                    )
        return found

    # reliability

    def scene_performance(self) -> list[Row]:
        """By type of scene, where the log has it."""
        rows = [row for row in self.generations if row.scene_type]
        return self._groups(_style_measures, "activity_date", "scene_type", rows=rows)

    def photo_size_performance(self) -> list[Row]:
        """By size of the photo, where the log has it."""
        bands = {"below 1 MB": 0, "1 to 5 MB": _MB, "5 to 10 MB": 5 * _MB, "10 to 20 MB": 10 * _MB}
        bands["above 20 MB"] = 20 * _MB + 1
        found = []
        for name, least in bands.items():
            most = min((other for other in bands.values() if other > least), default=10**12)
            rows = [row for row in self.generations if row.photo_size_bytes is not None]
            rows = [row for row in rows if least <= row.photo_size_bytes < most]
            found += [
                row | {"photo_size_band": name} for row in self._groups(_style_measures, "activity_date", rows=rows)
            ]
        return found

    def wish_outcomes(self) -> list[Row]:
        """By day and style of the first attempt; a wish is what a user tries again within 30 minutes of a failure."""
        wishes = [[row] for row in self.generations if not row.user_key]
        for rows in self.by_user.values():
            earlier = None
            for row in sorted(rows, key=lambda row: (row.created_at, row.generation_id.int)):
                if earlier and not earlier.is_success and row.created_at - earlier.created_at <= _HALF_HOUR:
                    wishes[-1].append(row)
                else:
                    wishes.append([row])
                earlier = row
        by_first = defaultdict(list)
        for wish in wishes:
            by_first[wish[0].activity_date, wish[0].style].append(wish)
        return [
            {
                "activity_date": day,
                "style": style,
                "wish_count": len(group),
                "first_try_count": sum(wish[0].is_success for wish in group),
                "fulfilled_count": sum(wish[-1].is_success for wish in group),
                "given_up_count": sum(
                    not wish[-1].is_success and self.as_of > wish[-1].created_at + _HALF_HOUR for wish in group
                ),
                "attempt_count": sum(map(len, group)),
                "is_complete": self._is_complete(day, _DAY),
            }
            for (day, style), group in by_first.items()
        ]

    def step_times(self) -> list[Row]:
        """By hour and step, of successes."""
        found = []
        for step in ("vision", "image", "storage"):
            rows = [row for row in self.generations if row.is_success and getattr(row, f"{step}_ms") is not None]
            for (hour,), group in grouped(rows, "activity_hour").items():
                known = [getattr(row, f"{step}_ms") for row in group]
                found.append(
                    {
                        "activity_hour": hour,
                        "step": step,
                        "timed_count": len(known),
                        "total_ms": sum(known),
                        "avg_ms": sum(known) / len(known),
                        "p50_ms": percentile(known, 0.5),
                        "p95_ms": percentile(known, 0.95),
                        "p99_ms": percentile(known, 0.99),
                        "max_ms": max(known),
                        "is_complete": self._is_complete(hour, _HOUR),
                    }
                )
        return found

    def response_times(self) -> list[Row]:
        """By hour and style, successes with a known duration."""

        def measures(rows: list[Generation]) -> Row:
            return _durations(rows) | {"max_duration_ms": max(row.duration_ms for row in rows)}

        rows = [row for row in self.generations if row.is_timed_success]
        return self._groups(measures, "activity_hour", "style", rows=rows, length=_HOUR)

    def error_analysis(self) -> list[Row]:
        """By day, category and signature."""

        def measures(rows: list[Generation]) -> Row:
            timed = count_of(rows, "duration_ms")
            return {
                "error_count": len(rows),
                "affected_users": len(users_of(rows)),
                "timed_failure_count": timed,
                "total_failure_duration_ms": total_of(rows, "duration_ms"),
                "avg_failure_duration_ms": quotient(total_of(rows, "duration_ms"), timed),
                "failed_cost_usd": usd_of(rows),
                "costed_failure_count": count_of(rows, "total_cost_usd"),
                "is_retryable": RETRYABLE[rows[0].error_category],
                "first_seen_at": min(row.created_at for row in rows),
                "last_seen_at": max(row.created_at for row in rows),
            }

        rows = _failures(self.generations)
        return self._groups(measures, "activity_date", "error_category", "error_signature", rows=rows)

    def service_health(self) -> list[Row]:
        """Every five minutes."""
        by_window = defaultdict(list)
        for row in self.generations:
            by_window[_window_of(row.created_at)].append(row)
        return [
            {
                "window_start": window,
                "generation_count": len(rows),
                "failure_count": len(_failures(rows)),
                "failure_rate": quotient(len(_failures(rows)), len(rows)),
                "timed_success_count": sum(row.is_timed_success for row in rows),
                "p95_duration_ms": percentile([row.duration_ms for row in rows if row.is_timed_success], 0.95),
                "rate_limit_error_count": sum(row.error_category == "rate_limit" for row in rows),
                "total_cost_usd": usd_of(rows),
                "is_complete": self._is_complete(window, _FIVE_MINUTES),
            }
            for window in self._every(_window_of, _FIVE_MINUTES)
            for rows in [by_window.get(window, [])]
        ]

    def duration_histogram(self) -> list[Row]:
        """By day, style, difficulty, outcome and bucket, generations with a known duration."""

        def measures(rows: list[Generation]) -> Row:
            bucket = rows[0].bucket
            estimate = 0.0 if bucket == -1 else 2 * (101 / 99) ** bucket / (101 / 99 + 1)
            return {"generation_count": len(rows), "bucket_estimate_ms": estimate}

        rows = [row for row in self.generations if row.duration_ms is not None]
        return self._groups(measures, "activity_date", "style", "difficulty", "is_success", "bucket", rows=rows)


def _hour_of(time: dt.datetime) -> dt.datetime:
    return time.replace(minute=0, second=0, microsecond=0)


def _day_of(time: dt.datetime) -> dt.datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _window_of(time: dt.datetime) -> dt.datetime:
    return time.replace(minute=time.minute // 5 * 5, second=0, microsecond=0)


def _monday(day: dt.date) -> dt.date:
    return day - day.weekday() * _DAY


# Compared with a warehouse

# What the wording of `detail` is, is no number.
_WORDS = {"generation_log_issues": ("detail",)}


def marts_of(warehouse: Warehouse) -> Marts:
    """All marts, without words that the oracle does not know."""
    marts = warehouse.marts()
    del marts["int_user_days"]
    for name, columns in _WORDS.items():
        marts[name] = {
            key: {column: value for column, value in row.items() if column not in columns}
            for key, row in marts[name].items()
        }
    return marts


def assert_as_defined(
    warehouse: Warehouse,
    rows: list[Row],
    *,
    as_of: dt.datetime | None = None,
    zone: str = "UTC",
    begins_on: dt.date | None = None,
) -> None:
    """Every mart equals the oracle's."""
    fact = warehouse.mart("fct_generations")
    salt = warehouse.salt
    oracle = Oracle(
        rows,
        lambda user_id: warehouse.user_key(user_id, salt),
        as_of=as_of,
        zone=zone,
        fact=fact,
        begins_on=begins_on,
    )
    assert_equal_marts(marts_of(warehouse), oracle.marts())
