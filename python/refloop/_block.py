"""``with refloop.no_loops():``, for unittest and for scripts, and the same as a decorator."""

import functools
import inspect
import itertools
import warnings
from types import TracebackType
from typing import Any, Callable, List, Optional, Type, TypeVar, cast, overload

from refloop._analysis import check, counted
from refloop._errors import RefloopError, RefloopWarning
from refloop._recording import Recording

_numbers = itertools.count(1)

Function = TypeVar("Function", bound=Callable[..., Any])


class ReferenceLoops(AssertionError):  # noqa: N818 (what was left behind, as a test report says it)
    """A block left objects behind that only keep each other alive."""


@overload
def no_loops(*, optional: bool = False) -> "Block": ...


@overload
def no_loops(function: Function, /) -> Function: ...


def no_loops(function: Optional[Callable[..., Any]] = None, /, *, optional: bool = False) -> object:
    """Fails with ``ReferenceLoops`` when the block leaves reference loops of the application behind.

    What counts is decided as by ``refloop check``: by the configuration and baseline of the current directory. The
    block has to drop what it made: a variable of the function around it keeps a loop alive, and what is alive is no
    loop yet. Nothing is collected. Where recording is impossible ``RefloopError`` says why before the block runs; with
    ``optional=True`` the block runs, and a ``RefloopWarning`` says why.

    ``@refloop.no_loops`` on a function, or a coroutine function, makes a block of each of its calls;
    ``@refloop.no_loops(optional=True)`` does so too.
    """
    block = Block(optional=optional)
    return block if function is None else block(function)


class Block:
    """What ``no_loops()`` returns: a context manager, and a decorator."""

    def __init__(self, *, optional: bool = False) -> None:
        self._optional = optional
        self._recording: Optional[Recording] = None
        self._label = ""

    def __call__(self, function: Function) -> Function:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("a generator runs after its call is over: use 'with refloop.no_loops():' inside it")

        @functools.wraps(function)
        def call(*args: object, **kwargs: object) -> object:
            with Block(optional=self._optional):
                return function(*args, **kwargs)

        @functools.wraps(function)
        async def await_call(*args: object, **kwargs: object) -> object:
            with Block(optional=self._optional):
                return await function(*args, **kwargs)

        return cast(Function, await_call if inspect.iscoroutinefunction(function) else call)

    def __enter__(self) -> "Block":
        self._label = str(next(_numbers))
        try:
            self._recording = Recording.begin()
        except RefloopError as error:
            if not self._optional:
                raise
            warnings.warn(f"reference loops are not looked for: {error}", RefloopWarning, stacklevel=2)
            return self
        # What is garbage already is not this block's.
        self._recording.mark("session", "before a block")
        self._recording.sweep()
        self._recording.mark("block", self._label)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        recording, self._recording = self._recording, None
        if recording is None:
            return
        try:
            recording.sweep()
            recording.mark("session", "after a block")
            recording.stop()
            if error is None:
                self._judge(recording)
        finally:
            recording.discard()

    def _judge(self, recording: Recording) -> None:
        mark = f"block {self._label}"
        loops = [loop for loop in check([recording.path]).failing if loop.seen_in(mark)]
        if not loops:
            return
        total = sum(loop.seen_in(mark) for loop in loops)
        texts: List[str] = [loop.text(loop.seen_in(mark), "this block") for loop in loops]
        raise ReferenceLoops("\n".join([f"the block left {counted(total, 'reference loop')} behind", *texts]))
