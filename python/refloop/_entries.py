"""Kinds of loops with the tests that made them: who fails, and for what."""

from typing import Any, Dict, Iterable, List, Set, Tuple

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

#: Lines after which the kinds that many tests share are told in short.
SHARED_LINES = 30

#: Kinds of the tests' own that are told in full, and kinds that have a line where no test made them.
OWN_KINDS = 3
OUTSIDE_LINES = 5

#: How a line begins that goes on with the one before.
GOES_ON = " " * 8

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
    def count(self) -> int:
        return sum(self.tests.values()) + self.outside

    def text(self) -> str:
        """What the command says of the loop, and which tests have it."""
        return f"{self.loop.text()}\n    left by      {self._who()}"

    def brief(self) -> str:
        """The same in two lines."""
        return f"{counted(self.count, 'loop')}{self.short()}\n    left by      {self._who()}"

    def line(self) -> str:
        return f"{counted(self.count, 'loop')}: {self.loop.path} ({self._who()})"

    def text_for(self, test: str) -> str:
        """The same for one test, the first that has it."""
        others = len(self.tests) - 1
        also = f"\n    also in      {counted(others, 'other test')}" if others else ""
        return self.loop.text(self.tests[test], "this test") + also

    def line_for(self, test: str) -> str:
        """The same in a line; for another test, where to find it."""
        first = next(iter(self.tests))
        return self.short() if test == first else f" as in {first}: {self.loop.path}"

    def short(self) -> str:
        """``: Order.items[*] → Line.order → Order, made at app.py:42; cut Line.order``, behind a number of loops"""
        made_at = f", made at {self.loop.site[0][0]}:{self.loop.site[0][1]}" if self.loop.site else ""
        cut = f"; cut {self.loop.cut[0]}" if self.loop.cut else ""
        return f": {self.loop.path}{made_at}{cut}"

    def _who(self) -> str:
        named = list(self.tests)[:TESTS]
        more = len(self.tests) - len(named)
        who = [*named, *([counted(more, "more test")] if more else [])]
        return ", ".join([*who, *(["code outside of tests"] if self.outside else [])])


class Cause:
    """Kinds of loops that the same line closes, and that one change to the code breaks."""

    def __init__(self, kinds: List[Entry]) -> None:
        self.kinds = kinds

    @property
    def is_shared(self) -> bool:
        """It is of what the tests use rather than of a test: many have it, and it is in the file of none of them."""
        tests = {test for kind in self.kinds for test in kind.tests}
        loop = self.kinds[0].loop
        stored_in = loop.stored_in or loop.home
        return len(tests) > FEW and all(test.split("::", 1)[0] != stored_in for test in tests)

    def failure(self, remarks: "Remarks", in_full: bool) -> "Failure":
        """The kind that most tests have, in full or in a line, and how many more there are."""
        first = max(self.kinds, key=lambda kind: len(kind.tests))
        others = [kind for kind in self.kinds if kind is not first]
        number = sum(kind.count for kind in self.kinds)
        texts = [remarks.once(first.text()) if in_full else first.brief()]
        if others:
            texts.insert(0, left_behind(number))
            loops = counted(sum(kind.count for kind in others), "loop")
            what = f"{counted(len(others), 'more kind')} of {loops}"
            tests = {test for kind in self.kinds for test in kind.tests}
            paths = "; ".join(kind.loop.path for kind in others[:TESTS])
            of_all = counted(len(tests), "test")
            texts.append(f"    as well as   {what} by the same cause, in all {of_all}: {paths}")
        return Failure(f"{SHARED}::{first.loop.path}", number, texts, first.loop.path)


def causes(entries: List[Entry]) -> List[Cause]:
    """The kinds by what closes them, in the order of the first of each."""
    kinds: Dict[str, List[Entry]] = {}
    for entry in entries:
        kinds.setdefault(entry.loop.cause, []).append(entry)
    return [Cause(of_one) for of_one in kinds.values()]


class Remarks:
    """What a report says of one kind and again of the next: in full at first, then the name of a pattern alone."""

    def __init__(self) -> None:
        self._said: Set[str] = set()

    def once(self, text: str) -> str:
        """The text of a kind, less the remarks that were made before."""
        lines: List[str] = []
        for item in _items(text):
            remark = " ".join(line.strip() for line in item)
            label = remark.split(" ", 1)[0]
            is_new = label not in ("pattern", "owner") or remark not in self._said
            self._said.add(remark)
            if is_new:
                lines += item
            elif label == "pattern":
                lines.append(item[0].split(";")[0])
        return "\n".join(lines)


def _items(text: str) -> List[List[str]]:
    """Lines with a label, each with the lines that go on with it."""
    items: List[List[str]] = []
    for line in text.split("\n"):
        if items and line.startswith(GOES_ON):
            items[-1].append(line)
        else:
            items.append([line])
    return items


def left_behind(number: int) -> str:
    return f"{counted(number, 'reference loop')} left behind"


class Failure:
    """One failing report: its name, and what it says."""

    def __init__(self, name: str, number: int, texts: List[str], path: str) -> None:
        self.name = name
        self._texts = texts
        self._summary = f"{left_behind(number)}: {path}"

    @property
    def lines(self) -> int:
        return sum(text.count("\n") + 1 for text in self._texts)

    def text(self, location: Tuple[str, Any, str]) -> "LoopsText":
        return LoopsText(self._texts, location, self._summary)


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
    shared = [cause for cause in causes(entries) if cause.is_shared]
    of_many = {id(kind) for cause in shared for kind in cause.kinds}
    own = [entry for entry in entries if id(entry) not in of_many]
    in_full, remarks = 0, Remarks()
    for test in dict.fromkeys(test for entry in own for test in entry.tests):
        made = [entry for entry in own if test in entry.tests]
        number = sum(entry.tests[test] for entry in made)
        firsts = [next(iter(entry.tests)) for entry in made]
        texts = [left_behind(number)]
        if firsts == [firsts[0]] * len(made) and test != firsts[0]:
            texts[0] += f" as in {firsts[0]}: {'; '.join(entry.loop.path for entry in made)}"
        else:
            for entry, first in zip(made, firsts):
                if in_full < OWN_KINDS and test == first:
                    in_full += 1
                    texts.append(remarks.once(entry.text_for(test)))
                elif len(made) == 1:
                    texts[0] += entry.line_for(test)
                else:
                    texts.append(f"    {counted(entry.tests[test], 'loop')}{entry.line_for(test)}")
        if len(made) == 1:
            # In full, the kind says itself how many there are.
            texts = texts[-1:]
        yield Failure(test, number, texts, made[0].loop.path)
    lines = 0
    for cause in shared:
        failure = cause.failure(remarks, in_full=lines < SHARED_LINES)
        lines += failure.lines
        yield failure
    outside = [entry for entry in own if entry.outside]
    if outside:
        number = sum(entry.outside for entry in outside)
        texts = [left_behind(number), *_outside(outside, in_full, remarks)]
        yield Failure(SESSION, number, texts, outside[0].loop.path)


def _outside(entries: List[Entry], told: int, remarks: Remarks) -> Iterable[str]:
    """What no test made: in full while there is room for it, the next in a line, and how many more."""
    room = max(OWN_KINDS - told, 0)
    for entry in entries[:room]:
        yield remarks.once(entry.loop.text(entry.outside, "no test"))
    lines = entries[room : room + OUTSIDE_LINES]
    for entry in lines:
        yield f"    {counted(entry.outside, 'loop')}{entry.short()}"
    more = entries[room + OUTSIDE_LINES :]
    if more:
        yield f"    {_left_out(more, sum(entry.outside for entry in more))}"


def _left_out(entries: List[Entry], number: int) -> str:
    kinds = f"{counted(len(entries), 'more kind')} of {counted(number, 'loop')}"
    return f"… and {kinds} (--refloop-trace keeps the recording)"


def page(entries: List[Entry]) -> List[str]:
    """Each kind once: the first ones in full, the next in a line, and how many more."""
    lines = [entry.text() for entry in entries[:KINDS]]
    lines += [entry.line() for entry in entries[KINDS : KINDS + LINES]]
    more = entries[KINDS + LINES :]
    if more:
        lines.append(_left_out(more, sum(entry.count for entry in more)))
    return lines


def summary(entries: List[Entry]) -> str:
    """``4 reference loops left behind by 3 tests``"""
    tests = {test for entry in entries for test in entry.tests}
    makers = [counted(len(tests), "test")] if tests else []
    makers += ["code outside of tests"] if any(entry.outside for entry in entries) else []
    number = sum(entry.count for entry in entries)
    return f"{counted(number, 'reference loop')} left behind by {' and '.join(makers)}"
