"""A logger's handler that holds the object whose method it calls."""

import logging

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


class Sink(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = [self]


def scenario():
    handler = Sink()
    logging.getLogger("scenario").removeHandler(handler)
    handler.acquire()
    handler.release()
