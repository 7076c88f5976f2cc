"""``python -m refloop``: the ``refloop`` command of this installation."""

import os
import subprocess
import sys
from typing import List

from refloop._command import find_command
from refloop._errors import RefloopError


def main(arguments: List[str]) -> int:
    try:
        command = find_command()
    except RefloopError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    if os.name != "nt":
        os.execv(command, [command, *arguments])
    return subprocess.call([command, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
