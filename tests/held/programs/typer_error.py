import typer
from typer.testing import CliRunner

app = typer.Typer()


@app.command()
def hi(n: int):
    raise ValueError(n)


def once():
    r = CliRunner().invoke(app, ["3"])
    return r.exit_code, type(r.exception).__name__
