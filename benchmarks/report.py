"""The document, made of what has been measured so far and of the text in page.md."""

import platform
from importlib.metadata import version
from pathlib import Path
from string import Template

import psutil

from benchmarks import questions
from benchmarks.processes import ALERTS, hourly_selection
from benchmarks.store import Store

_GB = 10**9
_NOTHING = "not measured"


def machine() -> dict[str, str]:
    """What the figures depend on, besides the project."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    packages = ("dbt-core", "dbt-duckdb", "dbt-postgres", "duckdb")
    return {
        "machine": f"{cpu}, {psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB of memory",
        "versions": ", ".join(
            [f"Python {platform.python_version()}"] + [f"{name} {version(name)}" for name in packages]
        ),
    }


class Report:
    """Tables about the measurements in a store."""

    def __init__(self, store: Store) -> None:
        """Of this store."""
        self._store = store
        self._rows, self._postgres_rows = store.fact("rows"), store.fact("postgres_rows")

    def text(self) -> str:
        """The whole document."""
        store = self._store
        postgres = store.fact("postgres_version")
        return Template((Path(__file__).parent / "page.md").read_text()).substitute(
            targets=_table(["what", "target", "measured", ""], self.targets()),
            machine=store.fact("machine"),
            versions=store.fact("versions") + (f", PostgreSQL {postgres}" if postgres else ""),
            command=store.fact("command"),
            rows_per_day=f"{store.settings['rows_per_day']:,}",
            memory=store.settings["memory"],
            compared=" ".join(
                f"On {_count(equal['rows'])} rows the {equal['tables']} {kind} equal the warehouse's, row by row."
                for kind in ("tables", "views")
                if (equal := store.fact(f"equal_{kind}"))
            ),
            full_builds=self._full_builds(),
            hourly_command=" ".join(["dbt build", *hourly_selection()]),
            hourly=self._hourly(),
            least=_count(self._rows[0]),
            nothing=self._figure("nothing/warehouse") or _NOTHING,
            nodes=store.fact("nothing/nodes"),
            nothing_profile=self._nothing_profile(),
            startup=self._figure("nothing/startup") or _NOTHING,
            hourly_postgres=self._hourly_postgres(),
            alerts_command=" ".join(["dbt build", *ALERTS]),
            alerts=self._alerts(),
            questions=self._questions(),
            page=self._page(),
            memory_and_disk=self._memory_and_disk(),
        )

    def targets(self) -> list[list[str]]:
        """Each target, what was measured, and whether it was met."""
        least, before, most = self._rows[0], self._rows[-2:][0], self._rows[-1]
        first, last = self._postgres_rows[0], self._postgres_rows[-1]
        peaks = self._store.values(f"full/{most}/dbt", "peak_bytes")
        hour, hour_postgres = f"hourly/{most}/of", f"hourly-postgres/{last}/of"
        twelve = _quotient(self._made(f"full/{most}", "dbt"), self._made(f"full/{most}", f"dbt-of-{before}"))
        return [
            *(
                _judged(f"DuckDB, full build of {_count(size)} rows, over by hand", "<=", 1.3, self._over_hand(size))
                for size in [size for size in self._rows if size >= 10_000_000] or [most]
            ),
            _judged(f"DuckDB, full build of {_count(most)} rows, over {_count(before)}", "<=", 12, twelve),
            _judged(
                f"DuckDB, full build of {_count(most)} rows, peak memory in GB",
                "<",
                8,
                max(peaks) / _GB if peaks else None,
            ),
            _judged(
                f"DuckDB, one more hour after {_count(most)} rows, over after {_count(least)}",
                "<=",
                1.2,
                self._ratio(f"{hour}-{most}", f"{hour}-{least}"),
            ),
            _judged(
                f"PostgreSQL, one more hour after {_count(last)} rows, over after {_count(first)}",
                "<=",
                1.3,
                self._ratio(f"{hour_postgres}-{last}", f"{hour_postgres}-{first}"),
            ),
            _judged(
                f"PostgreSQL, {_count(last)} rows, refreshing materialized views, over one more hour",
                ">=",
                10,
                self._ratio(f"refresh/{last}", f"{hour_postgres}-{last}"),
            ),
            self._least_gain("PostgreSQL", "postgres", last, 100),
            self._least_gain("DuckDB", "duckdb", most, 20),
            _judged(
                "DuckDB, an hourly run with nothing new, beyond dbt's start-up, in seconds",
                "<=",
                1,
                _difference(self._store.median("nothing/warehouse"), self._store.median("nothing/startup")),
            ),
            *self._judged_alerts("DuckDB", "alerts", most, least),
            *self._judged_alerts("PostgreSQL", "alerts-postgres", last, first),
        ]

    def _judged_alerts(self, engine: str, name: str, most: int, least: int) -> list[list[str]]:
        """Its cost is compared beyond dbt's start-up, which would hide what grows."""
        startup = self._store.median(f"{name}/{most}/startup")
        beyond = {size: _difference(self._store.median(f"{name}/{most}/of-{size}"), startup) for size in (least, most)}
        return [
            _judged(
                f"{engine}, an alert refresh after {_count(most)} rows, beyond dbt's start-up, in seconds",
                "<=",
                2,
                beyond[most],
            ),
            _judged(
                f"{engine}, the same, in seconds more than after {_count(least)}",
                "<=",
                0.5,
                _difference(beyond[most], beyond[least]),
            ),
        ]

    def _least_gain(self, name: str, engine: str, rows: int, target: float) -> list[str]:
        gains = [
            self._ratio(f"ask/{engine}/{rows}/{one}/raw", f"ask/{engine}/{rows}/{one}/marts") for one in questions.RAW
        ]
        what = f"{name}, {_count(rows)} rows, a question to the raw log, over the marts, least of five"
        return _judged(what, ">=", target, None if None in gains else min(gains))

    def _full_builds(self) -> str:
        lines = []
        for size in self._rows:
            name = f"full/{size}"
            if self._store.count(f"{name}/dbt", f"{name}/hand"):
                figures = [self._figure(f"{name}/{what}") for what in ("dbt", "startup", "hand")]
                tests = self._store.median(f"{name}/tests", "in_tests")
                lines.append([_count(size), *figures, _number(self._over_hand(size)), _number(tests)])
        header = ["rows", "`dbt run`, s", "start-up, s", "by hand, s", "beyond start-up, over by hand", "data tests, s"]
        built = [models for size in self._rows if (models := self._store.fact(f"full/{size}/models"))]
        return _table(header, lines) + _slowest(built[-1] if built else None, "largest build")

    def _hourly(self) -> str:
        lines = []
        for size in self._rows[1:]:
            names = [f"hourly/{size}/of-{one}" for one in (self._rows[0], size)]
            if self._store.count(*names):
                lines.append([_count(size), *map(self._figure, names), _number(self._ratio(*names[::-1]))])
        return _table(["rows", f"after {_count(self._rows[0])} rows, s", "after these rows, s", "ratio"], lines)

    def _nothing_profile(self) -> str:
        lines = []
        for name in ("warehouse", "startup"):
            last = self._store.fact(f"nothing/{name}/last", {})
            if last:
                title = "nothing new" if name == "warehouse" else "start-up"
                lines.append([title, str(last["statements"]), _number(last["models"]), _number(last["tests"])])
        return _table(["its last run", "statements", "models, s", "data tests, s"], lines)

    def _hourly_postgres(self) -> str:
        lines = []
        for size in self._postgres_rows[1:]:
            names = [f"hourly-postgres/{size}/of-{one}" for one in (self._postgres_rows[0], size)]
            refresh = f"refresh/{size}"
            if self._store.count(*names):
                ratios = [_number(self._ratio(*names[::-1])), _number(self._ratio(refresh, names[1]))]
                figures = map(self._figure, (*names, refresh))
                lines.append([_count(size), *figures, *ratios])
        least = f"after {_count(self._postgres_rows[0])} rows, s"
        header = ["rows", least, "after these rows, s", "refreshing, s", "ratio", "refreshing over one more hour"]
        models = self._store.fact(f"hourly-postgres/{self._postgres_rows[-1]}/models")
        return _table(header, lines) + _slowest(models, "last run after the longer history")

    def _alerts(self) -> str:
        lines = []
        for engine, name, sizes in (
            ("DuckDB", "alerts", self._rows),
            ("PostgreSQL", "alerts-postgres", self._postgres_rows),
        ):
            last, startup = sizes[-1], f"{name}/{sizes[-1]}/startup"
            for size in dict.fromkeys((sizes[0], last)):
                of_size = f"{name}/{last}/of-{size}"
                if self._store.count(of_size, startup):
                    beyond = _difference(self._store.median(of_size), self._store.median(startup))
                    figures = [self._figure(of_size), self._figure(startup), _number(beyond)]
                    facts = [str(self._store.fact(f"{name}/{fact}", "")) for fact in ("nodes", "statements")]
                    lines.append([f"{engine}, {_count(size)} rows", *facts, *figures])
        header = ["after", "nodes", "statements of both", "an alert refresh, s", "start-up, s", "beyond, s"]
        return _table(header, lines)

    def _questions(self) -> str:
        tables = []
        for name, engine, rows in (
            ("PostgreSQL", "postgres", self._postgres_rows[-1]),
            ("DuckDB", "duckdb", self._rows[-1]),
        ):
            lines = []
            for one in questions.RAW:
                raw, marts = (f"ask/{engine}/{rows}/{one}/{of}" for of in ("raw", "marts"))
                lines.append(
                    [f"`{one}`", self._figure(raw, 1000), self._figure(marts, 1000), _number(self._ratio(raw, marts))]
                )
            tables.append(_table([f"{name}, {_count(rows)} rows", "raw log, ms", "marts, ms", "ratio"], lines))
        return "\n\n".join(tables)

    def _page(self) -> str:
        lines = [
            [
                _count(rows),
                self._figure(f"page/{rows}"),
                f"{self._store.fact(f'page/{rows}/bytes') / 1000:,.0f}",
                f"{self._store.fact(f'page/{rows}/packed_bytes') / 1000:,.0f}",
            ]
            for rows in self._rows
            if self._store.count(f"page/{rows}")
        ]
        return _table(["after, rows", "s", "KB", "KB packed"], lines)

    def _memory_and_disk(self) -> str:
        lines = []
        for size in self._rows:
            full, hour = f"full/{size}", f"hourly/{size}/of-{size}"
            on_disk = self._store.fact(f"{full}/bytes", {})
            by_hand = self._store.median(f"{full}/hand", "database_bytes")
            lines += [
                [f"DuckDB, the log of {_count(size)} rows", "", _gigabytes(on_disk.get("log"))],
                ["full build", self._peak(f"{full}/dbt"), _gigabytes(on_disk.get("warehouse"))],
                ["by hand", self._peak(f"{full}/hand"), _gigabytes(by_hand)],
                ["data tests", self._peak(f"{full}/tests"), ""],
                ["one more hour", self._peak(hour), ""],
            ]
        for size in self._postgres_rows:
            on_disk = self._store.fact(f"postgres_bytes/{size}", {})
            hour = f"hourly-postgres/{self._postgres_rows[-1]}/of-{size}"
            lines += [
                [f"PostgreSQL, the log of {_count(size)} rows with its indexes", "", _gigabytes(on_disk.get("raw"))],
                [
                    "first build",
                    self._peak(f"first-postgres/{size}", "server_peak_bytes"),
                    _gigabytes(on_disk.get("warehouse")),
                ],
                ["one more hour", self._peak(hour, "server_peak_bytes"), ""],
                [
                    "materialized views",
                    self._peak(f"refresh/{size}", "server_peak_bytes"),
                    _gigabytes(on_disk.get("views")),
                ],
            ]
        return _table(["", "peak memory, GB", "on disk, GB"], [line for line in lines if any(line[1:])])

    def _made(self, name: str, what: str) -> float | None:
        return _difference(self._store.median(f"{name}/{what}"), self._store.median(f"{name}/startup"))

    def _over_hand(self, size: int) -> float | None:
        return _quotient(self._made(f"full/{size}", "dbt"), self._store.median(f"full/{size}/hand"))

    def _ratio(self, one: str, other: str) -> float | None:
        return _quotient(self._store.median(one), self._store.median(other))

    def _peak(self, name: str, of: str = "peak_bytes") -> str:
        return _gigabytes(max(self._store.values(name, of), default=None))

    def _figure(self, name: str, factor: float = 1) -> str:
        values = sorted(value * factor for value in self._store.values(name))
        spread = f" ({values[0]:,.1f} to {values[-1]:,.1f})" if len(values) > 1 else ""
        return f"{self._store.median(name) * factor:,.1f}{spread}" if values else ""


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) if rows else _NOTHING.capitalize() + "."


def _slowest(models: dict[str, float] | None, of: str) -> str:
    """A sentence on where the time goes."""
    slowest = sorted((models or {}).items(), key=lambda item: -item[1])[:6]
    named = ", ".join(f"`{name}` {seconds:,.1f}" for name, seconds in slowest)
    return f"\n\nThe slowest models of the {of}, in seconds: {named}." if named else ""


def _judged(what: str, sign: str, target: float, value: float | None) -> list[str]:
    if value is None:
        return [what, f"{sign} {target:g}", _NOTHING, ""]
    is_met = {"<=": value <= target, "<": value < target, ">=": value >= target}[sign]
    # a figure that misses by a hair must not look as if it was met
    return [what, f"{sign} {target:g}", _number(value, 3), "met" if is_met else "**missed**"]


def _number(value: float | None, decimals: int = 2) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.{decimals}f}"


def _count(rows: int) -> str:
    return f"{rows // 1_000_000} M" if rows % 1_000_000 == 0 else f"{rows:,}"


def _gigabytes(size: float | None) -> str:
    return f"{size / _GB:,.2f}" if size else ""


def _quotient(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _difference(one: float | None, other: float | None) -> float | None:
    return one - other if one is not None and other is not None else None
