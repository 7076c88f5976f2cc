"""Runs one scenario, then lets the collector say what it finds: `gc.garbage` on stdout, what it prints on stderr."""

import gc
import importlib.util
import sys

spec = importlib.util.spec_from_file_location("scenario", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["scenario"] = module
if sys.version_info < getattr(module, "SINCE", (3, 8)):
    sys.exit(77)
try:
    spec.loader.exec_module(module)
except SyntaxError:
    sys.exit(77)
if sys.version_info < getattr(module, "SINCE", (3, 8)):
    sys.exit(77)
print("finalizers" if getattr(module, "FINALIZERS", False) else "plain", flush=True)
gc.collect()
gc.disable()
# Twice: what leaks once more may be recorded in another way than what leaks first.
module.scenario()
gc.collect()
module.scenario()
gc.set_debug(gc.DEBUG_SAVEALL | gc.DEBUG_COLLECTABLE)
gc.collect()
gc.set_debug(0)
print(*("%x" % id(thing) for thing in gc.garbage))
