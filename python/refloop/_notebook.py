"""``%%refloop``: runs a cell of a notebook, and shows the page of what it left behind."""

import html
from typing import Any

from refloop._analysis import report_as
from refloop._block import Block
from refloop._errors import RefloopError
from refloop._recording import Recording


class Page:
    """The page, in a frame of its own: it brings its script, and the notebook keeps its style."""

    def __init__(self, verdict: str, page: str) -> None:
        self._verdict = verdict
        self._page = page

    def __repr__(self) -> str:
        return self._verdict

    def _repr_html_(self) -> str:
        frame = "width:100%;height:720px;border:1px solid #8888;border-radius:6px"
        return f'<iframe sandbox="allow-scripts" style="{frame}" srcdoc="{html.escape(self._page)}"></iframe>'


class _Cell(Block):
    """A block that tells what it left behind, and fails nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.page: Page = Page("nothing was recorded", "")

    def _judge(self, recording: Recording) -> None:
        written = report_as("html", [recording.path])
        try:
            super()._judge(recording)
            verdict = "refloop: no reference loops found in this cell"
        except AssertionError as loops:
            verdict = f"refloop: {loops}"
        self.page = Page(verdict, written)


def run(shell: Any, line: str, cell: str) -> None:  # noqa: ANN401 (IPython has no types for its magics)
    """Runs the cell as it would run alone, and shows the page. What it keeps in variables is alive, and no loop."""
    if line.strip():
        raise RefloopError(f"%%refloop takes no arguments, and got '{line.strip()}'")
    block = _Cell()
    with block:
        result = shell.run_cell(cell)
    if result.success:
        _display()(block.page)


def _display() -> Any:  # noqa: ANN401
    from IPython.display import display

    return display


def register(shell: Any) -> None:  # noqa: ANN401
    """Makes ``%%refloop`` known to a shell of IPython."""
    shell.register_magic_function(lambda line, cell: run(shell, line, cell), magic_kind="cell", magic_name="refloop")
