# Loaded by the recorded Python as it starts: loads the recorder, and makes way for the program's own sitecustomize.
# It must be readable by every Python, also by those that cannot be recorded, and must never stop the program.
import sys


def _refuse(reason):
    import os

    status = [line[7:] for line in os.environ.get("REFLOOP_RECORD", "").splitlines() if line.startswith("status=")]
    if status and reason:
        try:
            with open(status[0], "a") as file:
                file.write("refused\t%d\t%s\n" % (os.getpid(), reason))
        except (IOError, OSError):
            pass


# Whether the recorder may be loaded at all. Which versions it records, it says itself.
def _unknown():
    implementation = getattr(getattr(sys, "implementation", None), "name", "cpython")
    if implementation != "cpython":
        return "%s is not CPython" % implementation
    if sys.version_info < (3, 8):
        return "Python %d.%d is too old: refloop records CPython from 3.8 on" % sys.version_info[:2]
    if "t" in getattr(sys, "abiflags", ""):
        return "free-threaded builds of CPython cannot be recorded"
    if hasattr(sys, "gettotalrefcount") or hasattr(sys, "getobjects"):
        return "debug builds of CPython cannot be recorded"
    if sys.maxsize < 2**32:
        return "32-bit builds of CPython cannot be recorded"
    return None


# Gives the children of this process the environment that they have alone.
def _forget():
    import os

    lines = os.environ.get("REFLOOP_RECORD", "").splitlines()
    if "children=no" in lines:
        del os.environ["REFLOOP_RECORD"]
        paths = [line[len("pythonpath=") :] for line in lines if line.startswith("pythonpath=")]
        if paths:
            os.environ["PYTHONPATH"] = paths[0]
        else:
            os.environ.pop("PYTHONPATH", None)


def _start(folder):
    import _imp
    import os

    Namespace = type(sys.implementation)
    try:
        recorder = _imp.create_dynamic(Namespace(name="_refloop", origin=os.path.join(folder, "_refloop.so")))
    except ImportError as error:
        # A sub-interpreter with a lock of its own. The process is recorded already.
        if "subinterpreters" in str(error):
            return None
        raise
    types = [object]
    for each in types:
        types.extend(type.__subclasses__(each))
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[3] != "final":
        version += {"alpha": "a", "beta": "b"}.get(sys.version_info[3], "rc") + str(sys.version_info[4])
    reason = recorder.start(folder, version, sys.executable or "", types)
    if reason is None:
        return None
    if reason:
        return reason
    import atexit

    atexit.register(recorder._exit)
    os.register_at_fork(
        before=recorder._before_fork, after_in_parent=recorder._after_fork, after_in_child=recorder._forked
    )
    asked = [line[7:] for line in os.environ.get("REFLOOP_RECORD", "").splitlines() if line.startswith("signal=")]
    if asked:
        try:
            import _signal

            if _signal.getsignal(int(asked[0])) == _signal.SIG_DFL:
                _signal.signal(int(asked[0]), recorder._signalled)
        except (ImportError, AttributeError, ValueError, OSError):
            pass
    return ""


def _main():
    folder = __file__.replace("\\", "/").rpartition("/")[0]
    sys.path[:] = [path for path in sys.path if path != folder]
    sys.path_importer_cache.pop(folder, None)
    this = sys.modules.pop("sitecustomize")
    other = None
    try:
        import sitecustomize as other
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
    finally:
        try:
            _refuse(_unknown() or _start(folder))
            _forget()
        except BaseException as error:
            _refuse("the recorder could not be loaded: %s" % error)
    return other is None, this


# Nothing that only the collector could free may be left: it must find in the program what it finds without us. So the
# functions go, which hold this namespace, and no frame holds the exception.
alone, _this = _main()
words = {"name": "sitecustomize"}
if sys.version_info[0] > 2:
    for _name in [_name for _name in globals() if _name[:1] == "_" and _name[:2] != "__"]:
        globals()[_name] = None
else:
    # Nothing is recorded here, and Python 2 empties a module that nobody holds.
    words = {}
if alone:
    raise ImportError("No module named 'sitecustomize'", **words)
