"""`__del__` cuts the loop: `gc.garbage` is empty, but the count alone would not have freed it."""

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


class Session:
    def __del__(self):
        self.owner = None


def scenario():
    session = Session()
    session.owner = [session]
