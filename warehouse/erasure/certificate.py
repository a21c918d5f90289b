"""The certificate: what was done for whom asked, what was looked for and not found, and what is not done."""

import datetime as dt
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Certificate:
    """What the command has to say. It holds no id and no key."""

    reference: str
    place: str
    began: dt.datetime
    users: int = 0
    before: dt.datetime | None = None
    rows: dict[str, int] = field(default_factory=dict)
    # (what was looked for and where, found before, found after); None: was not looked for before
    checks: list[tuple[str, int | None, int]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    # was a part left for later?
    is_complete: bool = True
    has_found: bool = True

    @property
    def until(self) -> str:
        """The moment up to which what the users did is erased."""
        return _time(self.before or self.began)

    @property
    def title(self) -> str:
        """What it is, in a line: no more than is so."""
        if not self.is_proven:
            return "ERASURE WITHOUT PROOF"
        if not self.has_found:
            return "NOTHING WAS FOUND TO ERASE; KEPT OUT FROM NOW ON"
        return "CERTIFICATE OF ERASURE" + ("" if self.is_complete else ", NOT YET COMPLETE")

    @property
    def is_proven(self) -> bool:
        """Was everything looked for, and nothing found?"""
        return not self.problems and not any(after for _, _, after in self.checks)

    def text(self) -> str:
        """The certificate, to be printed or kept."""
        lines = [
            self.title,
            f"  request:    {self.reference}",
            f"  warehouse:  {self.place}",
            f"  began:      {_time(self.began)}",
            f"  ended:      {_time(dt.datetime.now(dt.UTC))}",
            f"  users:      {self.users:,}",
        ]
        if self.before:
            lines.append(f"  erased:     what they did up to {self.until}; what they do later is a new user's")
        lines += ["", "Deleted rows"]
        lines += [f"  {name:<56}{count:>12,}" for name, count in sorted(self.rows.items())] or ["  none"]
        lines += ["", "Done", *(f"  {text}" for text in self.done)]
        lines += ["", "Looked for the users' keys and ids", f"  {'':<84}{'before':>8}{'now':>8}"]
        for what, before, after in self.checks:
            lines.append(f"  {what:<84}{'' if before is None else f'{before:,}':>8}{after:>8,}")
        if self.problems:
            lines += ["", "NOT WELL", *(f"  {text}" for text in self.problems)]
        lines += ["", "Not done, and not proven", *(f"  {text}" for text in self.left)]
        return "\n".join(lines) + "\n"

    def write(self, file: Path | None) -> None:
        """To a file that its owner alone reads, or to the terminal."""
        if file is None:
            print(self.text(), end="")
            return
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(self.text())
        print(f"The certificate: {file}")


def _time(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
