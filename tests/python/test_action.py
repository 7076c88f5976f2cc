"""The steps of `action.yml`, run by hand as GitHub does: each with `bash -e -o pipefail` and its own environment."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent.parent
BASH = shutil.which("bash")

pytestmark = pytest.mark.skipif(BASH is None, reason="no bash")


class Runner:
    """What GitHub gives to a composite action: inputs, an environment, a folder."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment
        self.action = yaml.safe_load((ROOT / "action.yml").read_text())
        self.summary = folder.parent / "summary.md"

    def run(self, **given):
        """The code and the output of each step that ran, by name; the first that fails is the last."""
        inputs = {
            name: given.pop(name, declared.get("default", "")) for name, declared in self.action["inputs"].items()
        }
        assert not given, f"no such input: {given}"
        done = {}
        for step in self.action["runs"]["steps"]:
            if step.get("if") == "inputs.sarif != ''" and not inputs["sarif"]:
                continue
            assert step["shell"] == "bash"
            environment = {name: self._expand(value, inputs) for name, value in step.get("env", {}).items()}
            script = self.folder.parent / "step.sh"
            script.write_text(self._expand(step["run"], inputs))
            run = subprocess.run(
                [BASH, "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
                cwd=str(self.folder),
                env={**self.environment, **environment, "GITHUB_STEP_SUMMARY": str(self.summary)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
            )
            done[step["name"]] = (run.returncode, run.stdout)
            if run.returncode:
                break
        return done

    def _expand(self, text, inputs):
        known = {f"inputs.{name}": value for name, value in inputs.items()}
        known["github.action_path"] = str(ROOT)
        return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda found: known[found.group(1)], text)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The package with the command that was built before, as the build back end lays it out."""
    command = os.environ.get("REFLOOP_BINARY")
    if not command:
        pytest.skip("REFLOOP_BINARY does not name a refloop command")
    files = {f"refloop/{path.name}": path.read_bytes() for path in sorted((ROOT / "python/refloop").glob("*.py"))}
    files["refloop-0.data/scripts/refloop"] = Path(command).read_bytes()
    files["refloop-0.dist-info/METADATA"] = b"Metadata-Version: 2.1\nName: refloop\nVersion: 0\n"
    files["refloop-0.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n"
    files["refloop-0.dist-info/entry_points.txt"] = b"[pytest11]\nrefloop = refloop.pytest_plugin\n"
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files["refloop-0.dist-info/RECORD"] = f"{record}refloop-0.dist-info/RECORD,,\n".encode()
    path = tmp_path_factory.mktemp("wheel") / "refloop-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, data)
    return path


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The folder of the commands of a fresh venv."""
    folder = tmp_path_factory.mktemp("venv")
    try:
        venv.create(folder, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        # A Python of Debian's outside of its root: ensurepip looks for pip in the machine's own folder.
        venv.create(folder, with_pip=False, symlinks=True, clear=True)
        pip = next(Path(sys.base_prefix, "share", "python-wheels").glob("pip-*.whl"))
        environment = dict(os.environ, PYTHONPATH=str(pip))
        command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-index", str(pip)]
        subprocess.run(command, env=environment, check=True)
    return folder / "bin"


@pytest.fixture
def runner(tmp_path, scripts):
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "shop.py").write_text(
        dedent("""
            class Order:
                def __init__(self):
                    self.me = self

            Order()
        """)
    )
    (folder / "clean.py").write_text("print('clean')\n")
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "REFLOOP_BINARY")}
    environment["PATH"] = f"{scripts}{os.pathsep}{environment['PATH']}"
    return Runner(folder, environment)


def test_a_program_with_loops_fails_the_check_and_leaves_its_sarif(runner, wheel):
    steps = runner.run(run="python shop.py", install=str(wheel))
    assert [code for code, _ in steps.values()] == [0, 0, 0, 1], steps
    assert "::error file=shop.py,line=6" in steps["Check"][1]
    sarif = json.loads((runner.folder / "refloop.sarif").read_text())
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["cyclic-garbage"]
    assert "Order.me" in runner.summary.read_text()


def test_a_clean_program_passes(runner, wheel):
    steps = runner.run(run="python clean.py", install=str(wheel), sarif="")
    assert [code for code, _ in steps.values()] == [0, 0, 0], steps
    assert list(steps) == ["Install refloop", "Record", "Check"]


def test_a_program_that_fails_fails_its_own_step(runner, wheel):
    steps = runner.run(run="python -c 'import sys; sys.exit(5)'", install=str(wheel))
    assert [code for code, _ in steps.values()] == [0, 5], steps


def test_options_of_the_check_are_taken_as_a_shell_takes_them(runner, wheel):
    steps = runner.run(run="python shop.py", install=str(wheel), check="--only 'other.*' --only \"shop two\"")
    assert [code for code, _ in steps.values()] == [0, 0, 0, 0], steps


def test_every_input_is_used_and_documented(runner):
    text = (ROOT / "action.yml").read_text()
    page = (ROOT / "docs/ci.md").read_text()
    for name in runner.action["inputs"]:
        assert f"inputs.{name} }}}}" in text, name
        assert f"| `{name}` |" in page, name


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
