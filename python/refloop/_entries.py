"""Kinds of loops with the tests that made them: who fails, and for what."""

from typing import Any, Dict, Iterable, List, Tuple

from _pytest._code.code import ReprFileLocation, TerminalRepr

from refloop._analysis import Loop, counted

#: The name under which loops are reported that no test made, and the module of kinds that are reported for themselves.
SESSION = "refloop-session"
SHARED = "refloop"

#: A kind that more tests have, and that none of them makes itself, fails for itself and not each of them.
FEW = 3

#: Tests that are named of one kind, kinds that are told in full on one page, and kinds that have a line after those.
TESTS = 3
KINDS = 10
LINES = 20

#: The pattern of a class that a function made, as the command calls it.
CLASS = "class made at run time"


class Entry:
    """Loops of one kind, and how many of them each test made."""

    def __init__(self, loop: Loop, tests: Dict[str, int], outside: int) -> None:
        self.loop = loop
        #: By the name of the test, in the order of the tests.
        self.tests = tests
        #: Loops that no test made.
        self.outside = outside

    @property
    def is_shared(self) -> bool:
        """It is of what the tests use rather than of a test: many have it, and none of them is where it was made."""
        made_in = self.loop.site[0][0] if self.loop.site else ""
        return len(self.tests) > FEW and all(test.split("::", 1)[0] != made_in for test in self.tests)

    @property
    def count(self) -> int:
        return sum(self.tests.values()) + self.outside

    def text(self) -> str:
        """What the command says of the loop, and which tests have it."""
        return f"{self.loop.text()}\n    left by      {self._who()}"

    def line(self) -> str:
        return f"{counted(self.count, 'loop')}: {self.loop.path} ({self._who()})"

    def text_for(self, test: str) -> str:
        """The same for one test: in full for the first, where to find that for the others."""
        first = next(iter(self.tests))
        if test != first:
            return f"    {counted(self.tests[test], 'loop')} as in {first}: {self.loop.path}"
        others = len(self.tests) - 1
        also = f"\n    also in      {counted(others, 'other test')}" if others else ""
        return self.loop.text(self.tests[test], "this test") + also

    def _who(self) -> str:
        named = list(self.tests)[:TESTS]
        more = len(self.tests) - len(named)
        who = [*named, *([counted(more, "more test")] if more else [])]
        return ", ".join([*who, *(["code outside of tests"] if self.outside else [])])


class Failure:
    """One failing report: its name, and what it says."""

    def __init__(self, name: str, number: int, texts: List[str], path: str) -> None:
        self.name = name
        self._head = f"{counted(number, 'reference loop')} left behind"
        self._texts = texts
        self._path = path

    def text(self, location: Tuple[str, Any, str]) -> "LoopsText":
        return LoopsText([self._head, *self._texts], location, f"{self._head}: {self._path}")


class LoopsText(TerminalRepr):
    """What a failing report says: printed as it is, with one line for the short summary."""

    def __init__(self, texts: List[str], location: Tuple[str, Any, str], summary: str) -> None:
        self._text = "\n".join(texts)
        self.reprcrash = ReprFileLocation(location[0], (location[1] or 0) + 1, summary)

    def __str__(self) -> str:
        return self._text

    def toterminal(self, tw: Any) -> None:  # noqa: ANN401
        for line in self._text.split("\n"):
            tw.line(line, red=not line.startswith(" "))


def failures(entries: List[Entry]) -> Iterable[Failure]:
    """One for each test that made loops, in the order of the tests; then for what many share, and what none made."""
    own = [entry for entry in entries if not entry.is_shared]
    for test in dict.fromkeys(test for entry in own for test in entry.tests):
        made = [entry for entry in own if test in entry.tests]
        number = sum(entry.tests[test] for entry in made)
        yield Failure(test, number, [entry.text_for(test) for entry in made], made[0].loop.path)
    for entry in entries:
        if entry.is_shared:
            name = f"{SHARED}::{entry.loop.path}"
            yield Failure(name, entry.count, [entry.text()], entry.loop.path)
    outside = [entry for entry in own if entry.outside]
    if outside:
        number = sum(entry.outside for entry in outside)
        texts = [entry.loop.text(entry.outside, "no test") for entry in outside]
        yield Failure(SESSION, number, texts, outside[0].loop.path)


def page(entries: List[Entry]) -> List[str]:
    """Each kind once: the first ones in full, the next in a line, and how many more."""
    lines = [entry.text() for entry in entries[:KINDS]]
    lines += [entry.line() for entry in entries[KINDS : KINDS + LINES]]
    more = entries[KINDS + LINES :]
    if more:
        number = sum(entry.count for entry in more)
        kinds = f"{counted(len(more), 'more kind')} of {counted(number, 'loop')}"
        lines.append(f"… and {kinds} (--refloop-trace keeps the recording)")
    return lines


def summary(entries: List[Entry]) -> str:
    """``4 reference loops left behind by 3 tests``"""
    tests = {test for entry in entries for test in entry.tests}
    makers = [counted(len(tests), "test")] if tests else []
    makers += ["code outside of tests"] if any(entry.outside for entry in entries) else []
    number = sum(entry.count for entry in entries)
    return f"{counted(number, 'reference loop')} left behind by {' and '.join(makers)}"
