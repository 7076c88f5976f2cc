import io
from rich.console import Console
from rich.table import Table
from rich.tree import Tree
from rich.progress import Progress


def once():
    out = io.StringIO()
    c = Console(file=out, width=40)
    t = Table("a", "b")
    t.add_row("1", "[b]2")
    c.print(t)
    tree = Tree("r")
    tree.add("x").add("y")
    c.print(tree)
    with Progress(console=c, disable=False, auto_refresh=False) as p:
        task = p.add_task("go", total=2)
        p.advance(task, 2)
    return out.getvalue()[:400]
