#!/usr/bin/env bash
# Every response of an httpx client is a reference loop, with its body in it.
#
# The client wraps the stream of a response in one that refers to the response,
# and puts it in the response: Response.stream -> BoundSyncStream._response. So no
# response is freed when its last variable goes, but by the collector: read,
# closed, or at the end of a "with client.stream(...)" block alike. With bodies of
# a megabyte, twenty requests keep 20 MB until a collection comes by, and those
# come by number of objects, not by their size.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with httpx 0.28.1. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF'
read: 20 of 20 alive, 20.0 MB; after gc.collect(): 0
closed: 20 of 20 alive, 20.0 MB; after gc.collect(): 0
streamed: 20 of 20 alive, 20.0 MB; after gc.collect(): 0
made by hand: 0 of 20 alive, 0.0 MB; after gc.collect(): 0
EOF
cat >"$work/loop.py" <<'EOF'
import gc
import weakref

import httpx

SIZE = 1_000_000


def answer(request):
    return httpx.Response(200, content=b"x" * SIZE)


client = httpx.Client(transport=httpx.MockTransport(answer))


def read():
    return client.get("http://localhost/")


def closed():
    response = client.get("http://localhost/")
    response.close()
    return response


def streamed():
    with client.stream("GET", "http://localhost/") as response:
        response.read()
    return response


def made():
    return httpx.Response(200, content=b"x" * SIZE)


def look(name, make):
    make()
    gc.collect()
    gc.disable()
    watched = []
    for _ in range(20):
        response = make()
        watched.append((weakref.ref(response), len(response.content)))
        del response
    alive = [size for response, size in watched if response() is not None]
    gc.collect()
    after = sum(response() is not None for response, _ in watched)
    print(f"{name}: {len(alive)} of 20 alive, {sum(alive) / 1e6:.1f} MB; after gc.collect(): {after}")


look("read", read)
look("closed", closed)
look("streamed", streamed)
look("made by hand", made)
EOF

"$python" -m venv --without-pip "$work/venv"
python3 -m pip --python "$work/venv/bin/python" install --quiet \
    --disable-pip-version-check "httpx==0.28.1" || exit 2
"$work/venv/bin/python" "$work/loop.py" >"$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
