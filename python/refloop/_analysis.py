"""Traces become a verdict: what ``refloop check --format json`` says, as plain objects and as text."""

import json
import os
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Union

from refloop._command import ask, last_line
from refloop._errors import ConfigurationError, RefloopError

if TYPE_CHECKING:
    from refloop._report import Report


#: How the line of a loop begins that has its stack; it stands below the path.
MADE_AT = "    made at "


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
        #: The file that made the first of them; without its stack, the one that defines its classes and functions.
        self.home: str = next((f["path"] for f in [*row["site"], *row["definitions"]]), "")
        self.other_sites: int = row["other_sites"]
        self.marks: Dict[str, int] = row["marks"]
        self.pattern: Optional[str] = row["pattern"]
        self.advice: Optional[str] = row["advice"]
        self.cut: Optional[Tuple[str, str]] = None
        if row["cut"]:
            self.cut = (row["cut"]["reference"], row["cut"]["replacement"])
        #: The same for kinds of loops that one change to the code breaks, and the file in which that is to be made.
        self.cause, self.stored_in = _cause(row)
        self.standing: str = (row["standing"] or {}).get("name", "fails")
        self._lines: List[str] = row["text"]

    @property
    def fails(self) -> bool:
        """The gate does not let it through."""
        return self.standing == "fails"

    def seen_in(self, mark: str) -> int:
        """How many of them were seen first in this phase (``test tests/test_a.py::test_b``)."""
        return self.marks.get(mark, 0)

    def take_stack(self, again: "Loop") -> None:
        """Where the same loop is made, seen when it was made once more."""
        self.site = again.site
        made_at = [line for line in again._lines if line.startswith(MADE_AT)]
        self._lines[2:2] = [f"{line} (run once more)" for line in made_at]

    def text(self, here: Optional[int] = None, place: str = "") -> str:
        """What the command says of the loop, after how many of them were seen in ``place``, if not all."""
        if here is None or here == self.count:
            return "\n".join(self._lines)
        head, in_all = f"LOOP {self.fingerprint}  ", self._lines[0]
        of = in_all[len(head) :] if in_all.startswith(head) else in_all
        return "\n".join([f"{head}{here:,} in {place}", f"     of {of}", *self._lines[1:]])


def _cause(row: Dict[str, Any]) -> Tuple[str, Optional[str]]:
    """The reference to cut with its class, or the shape of the loop and the line that made it; and the file of that."""
    first = row["cut"]["reference"].split(", and ")[0] if row["cut"] and not row["cut"]["alternatives"] else ""
    for step in row["steps"]:
        if first in (step["label"] + step["slot"], f"{step['label']}: {step['slot']}"):
            name = step["label"] if step["type"] == "frame" else f"class {step['label']}"
            places = [place["path"] for place in row["definitions"] if place["function"] == name]
            return f"{step['type']} {first}", places[0] if places else None
    if not row["site"] or not row["steps"]:
        return row["fingerprint"], None
    made_at = f"{row['site'][0]['path']}:{row['site'][0]['line']}"
    return " ".join([made_at, *(step["type"] + step["slot"] for step in row["steps"])]), row["site"][0]["path"]


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
        self._not_counted: List[str] = gate.get("not_counted", [])
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

    def not_counted(self, more: Sequence[str] = ()) -> str:
        """`` (not counted: 2 in the baseline, 14 of packages and the standard library)``, or nothing."""
        left_out = [*self._not_counted, *more]
        return f" (not counted: {', '.join(left_out)})" if left_out else ""


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


def analyze(*traces: "Union[str, os.PathLike[str]]") -> "Report":
    """What ``refloop analyze --format json`` says of these traces together, or of the traces in a directory.

    Every row of every table is in it. Raises ``RefloopError`` where a trace cannot be read to its end.
    """
    report: Report = json.loads(report_as("json", [os.fspath(trace) for trace in traces]))
    return report


def report_as(form: str, traces: Sequence[str]) -> str:
    """What ``refloop analyze`` writes of these traces in a format."""
    answer = ask(["analyze", "--format", form, "--quiet", "--", *traces])
    if answer.returncode != 0:
        raise RefloopError(last_line(answer.stderr) or f"refloop analyze ended with {answer.returncode}")
    return answer.stdout


def write_baseline(traces: Sequence[str], folder: Optional[str] = None, options: Sequence[str] = ()) -> str:
    """Accepts what the traces show; returns what was written where."""
    answer = ask(["check", *options, "--write-baseline", "--", *traces], folder)
    if answer.returncode != 0:
        kind = ConfigurationError if answer.returncode == 2 else RefloopError
        raise kind(last_line(answer.stderr) or f"refloop check ended with {answer.returncode}")
    return last_line(answer.stderr)


def counted(number: int, one: str, many: Optional[str] = None) -> str:
    """``1 loop``, ``1,240 loops``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
