import typer
from typer.testing import CliRunner


def once():
    app = typer.Typer()

    @app.command()
    def hi(name: str, n: int = 1):
        typer.echo(name * n)

    r = CliRunner().invoke(app, ["a", "--n", "3"])
    return r.output, r.exit_code
