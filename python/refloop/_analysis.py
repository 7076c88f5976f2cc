"""Traces become a verdict: what ``refloop check --format json`` says, as plain objects and as text."""

import json
from typing import Any, Dict, List, Optional, Sequence, Tuple

from refloop._command import ask, last_line
from refloop._errors import ConfigurationError, RefloopError

#: Frames of a stack that are shown.
FRAMES = 6


class Loop:
    """All loops with one fingerprint."""

    def __init__(self, row: Dict[str, Any]) -> None:
        self.fingerprint: str = row["fingerprint"]
        self.path: str = row["path"]
        self.count: int = row["count"]
        self.objects: int = row["objects"]
        self.total_bytes: int = row["total_bytes"]
        self.held_objects: int = row["held_objects"]
        self.collected: int = row["collected"]
        self.owner: str = row["owner"]
        self.site: List[Tuple[str, int, str]] = [(f["path"], f["line"], f["function"]) for f in row["site"]]
        self.other_sites: int = row["other_sites"]
        self.marks: Dict[str, int] = row["marks"]
        self.pattern: Optional[str] = row["pattern"]
        self.advice: Optional[str] = row["advice"]
        self.cut: Optional[Tuple[str, str]] = None
        if row["cut"]:
            self.cut = (row["cut"]["reference"], row["cut"]["replacement"])
        self.standing: str = (row["standing"] or {}).get("name", "fails")

    @property
    def fails(self) -> bool:
        """The gate does not let it through."""
        return self.standing == "fails"

    def seen_in(self, mark: str) -> int:
        """How many of them were seen first in this phase (``test tests/test_a.py::test_b``)."""
        return self.marks.get(mark, 0)

    def told(self, here: int, place: str) -> str:
        """The loop for people, of which ``here`` were seen in ``place``."""
        lines = [f"LOOP {self._amount(here, place)}", f"    {self.path}"]
        if self.site:
            lines.append(f"    made at      {self._made_at()}")
        if self.cut:
            lines.append(f"    cut          {self.cut[0]}    {self.cut[1]}")
        if self.pattern:
            lines.append(f"    pattern      {self.pattern}")
        if self.advice:
            lines.append(f"                 {self.advice}")
        return "\n".join(lines)

    def _amount(self, here: int, place: str) -> str:
        per_loop = self.objects / max(self.count, 1)
        objects = "object" if per_loop == 1 else "objects"
        ratio = f"{per_loop:.0f}" if per_loop == int(per_loop) else f"{per_loop:.1f}"
        held = " with what they hold" if self.held_objects else ""
        facts = [f"{self.fingerprint}  {self.count:,} × {ratio} {objects}, {in_bytes(self.total_bytes)}{held}"]  # noqa: RUF001
        if here != self.count:
            facts.append(f"{here:,} of them in {place}")
        if self.collected:
            all_of_them = self.collected == self.count
            facts.append("freed later by the collector" + ("" if all_of_them else f": {self.collected:,}"))
        return " · ".join(facts)

    def _made_at(self) -> str:
        shown: List[str] = []
        for path, line, function in self.site[:FRAMES]:
            if shown and "/_pytest/" in path:
                break
            shown.append(f"{path}:{line} {function}" if line else f"{path} {function}")
        text = " ← ".join(shown)
        return f"{text}, and at {counted(self.other_sites, 'other place')}" if self.other_sites else text


class Analysis:
    """What the command found in some traces, and what its gate says."""

    def __init__(self, document: Dict[str, Any], problem: Optional[RefloopError] = None) -> None:
        #: Why the verdict is not to be relied upon: a trace that is cut, a suppression that expired.
        self.problem = problem
        self.loops = [Loop(row) for row in document["loops"]]
        gate = document["gate"] or {}
        #: Sentences: limits that were exceeded, suppressions and baseline entries that are of no use any more.
        self.notes: List[str] = [
            *gate.get("exceeded", []),
            *gate.get("unused_suppressions", []),
            *gate.get("expired_suppressions", []),
            *(f"in the baseline, but no longer there: {gone}" for gone in gate.get("gone", [])),
        ]
        fingerprints = {loop.fingerprint for loop in self.loops}
        #: Findings of other rules that fail the build: one sentence each.
        self.others: List[str] = [
            f"{row['rule']}: {row['message']}"
            for row in document["findings"]
            if row["fingerprint"] not in fingerprints and (row["standing"] or {}).get("name") == "fails"
        ]
        standings = {(row["standing"] or {}).get("name") for row in document["findings"]}
        #: The gate failed, though no finding does: it is strict about its notes.
        self.strict = bool(gate.get("failed")) and "fails" not in standings

    @property
    def failing(self) -> List[Loop]:
        return [loop for loop in self.loops if loop.fails]

    def not_counted(self) -> str:
        """`` (not counted: 2 in the baseline, 14 of packages and the standard library)``, or nothing."""
        told = {
            "foreign": "of packages and the standard library",
            "known": "in the baseline",
            "suppressed": "suppressed",
            "collected": "freed by the collector",
            "allowed": "within limits",
            "not-asked": "outside of what was asked for",
        }
        counts = [(sum(1 for loop in self.loops if loop.standing == name), what) for name, what in told.items()]
        hidden = [f"{count:,} {what}" for count, what in counts if count]
        return f" (not counted: {', '.join(hidden)})" if hidden else ""


def check(traces: Sequence[str], folder: Optional[str] = None, options: Sequence[str] = ()) -> Analysis:
    """Asks the gate about all traces together, with the configuration that lies in ``folder`` or above it."""
    answer = ask(["check", "--format", "json", *options, "--", *traces], folder)
    problem: Optional[RefloopError] = None
    if answer.returncode not in (0, 1):
        kind = ConfigurationError if answer.returncode == 2 else RefloopError
        problem = kind(last_line(answer.stderr) or f"refloop check ended with {answer.returncode}")
        if not answer.stdout:
            raise problem
    try:
        return Analysis(json.loads(answer.stdout), problem)
    except (ValueError, KeyError, TypeError) as error:
        raise RefloopError(f"cannot understand what the refloop command answered: {error!r}") from None


def write_baseline(traces: Sequence[str], folder: Optional[str] = None, options: Sequence[str] = ()) -> str:
    """Accepts what the traces show; returns what was written where."""
    answer = ask(["check", *options, "--write-baseline", "--", *traces], folder)
    if answer.returncode != 0:
        kind = ConfigurationError if answer.returncode == 2 else RefloopError
        raise kind(last_line(answer.stderr) or f"refloop check ended with {answer.returncode}")
    return last_line(answer.stderr)


def counted(number: int, one: str) -> str:
    """``1 loop``, ``1,240 loops``."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def in_bytes(number: int) -> str:
    """``1.9 MB``: powers of 1000, below 1000 exact."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("B", "KB", "MB", "GB", "TB"):
        # 999.95 would be written as 1000.0.
        if value < 999.95:
            return f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} PB"
