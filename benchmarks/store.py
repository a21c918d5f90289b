"""What has been measured so far, in a file, so that a run that was cut off goes on where it was."""

import json
import statistics
import sys
from pathlib import Path


class Store:
    """The measurements by name, each a list of repetitions; written to disk after every one."""

    def __init__(self, path: Path, settings: dict[str, object]) -> None:
        """Go on with what is there, if it was measured with the same settings."""
        self._path = path
        self._content = {"settings": settings, "facts": {}, "measurements": {}}
        if path.exists():
            found = json.loads(path.read_text())
            if found["settings"] != settings:
                raise SystemExit(
                    f"{path} was measured with other settings: {found['settings']}. Remove it to start again."
                )
            self._content = found

    @property
    def settings(self) -> dict[str, object]:
        """What the measurements have in common."""
        return self._content["settings"]

    def note(self, name: str, value: object) -> None:
        """Keep something that is no repeated measurement: a size, a version."""
        self._content["facts"][name] = value
        self._save()

    def fact(self, name: str, default: object = None) -> object:
        """Something noted earlier."""
        return self._content["facts"].get(name, default)

    def add(self, name: str, measured: dict[str, float]) -> None:
        """Keep one more repetition."""
        self._content["measurements"].setdefault(name, []).append(measured)
        self._save()
        print(f"    {name}: {measured['seconds']:,.3f} s", file=sys.stderr, flush=True)

    def count(self, *names: str) -> int:
        """How many repetitions all of these measurements have."""
        return min(len(self._content["measurements"].get(name, [])) for name in names)

    def values(self, name: str, of: str = "seconds") -> list[float]:
        """One number of every repetition."""
        return [measured[of] for measured in self._content["measurements"].get(name, []) if of in measured]

    def median(self, name: str, of: str = "seconds") -> float | None:
        """The middle of the repetitions; None if there is none."""
        values = self.values(name, of)
        return statistics.median(values) if values else None

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._content, indent=1))
        partial.replace(self._path)
