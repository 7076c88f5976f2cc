"""Streams of C with attributes that point back."""

import io

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


class Buffer(io.BytesIO):
    pass


def scenario():
    buffer = Buffer(b"bytes" * 20)
    buffer.me = buffer
    raw = Buffer()
    reader = io.BufferedReader(Buffer(b"text"))
    reader.owner = [reader]
    text = io.StringIO("text")
    text.owner = text
