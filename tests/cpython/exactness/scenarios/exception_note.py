"""An exception that holds itself through its notes and arguments."""


def scenario():
    error = OSError(2, "missing", "file")
    error.args = (error, "again")
    if hasattr(error, "add_note"):
        error.add_note("a note")
        error.__notes__.append(error)
    stop = StopIteration([error])
    error.stop = stop
