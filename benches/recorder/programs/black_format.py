"""A module of the standard library is formatted."""

import os
import sysconfig

import black

with open(os.path.join(sysconfig.get_path("stdlib"), "configparser.py"), encoding="utf-8") as file:
    source = file.read()
print(len(black.format_str(source[: source.index("class RawConfigParser")], mode=black.Mode())))
