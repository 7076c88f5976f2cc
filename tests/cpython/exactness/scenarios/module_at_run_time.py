"""A module made at run time: its functions hold its dict, its dict its functions."""

import types


def scenario():
    module = types.ModuleType("plugin", "A plugin.")
    exec("import sys\nSTATE = []\ndef run():\n    return STATE\nclass Plugin:\n    pass\n", module.__dict__)
    module.me = module
