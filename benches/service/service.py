"""Serves lines of JSON on a local port, until its input ends: sessions with a limit, and a loop of two objects a request."""

import asyncio
import collections
import gc
import json
import sys

SESSIONS = 5000


class Session:
    def __init__(self, name):
        self.name = name
        self.seen = collections.deque(maxlen=20)


class Request:
    def __init__(self, session, body):
        self.session = session
        self.body = body
        self.response = Response(self)


class Response:
    def __init__(self, request):
        self.request = request
        self.total = sum(line["price"] * line["amount"] for line in request.body["lines"])


sessions = collections.OrderedDict()


def session_of(name):
    session = sessions.pop(name, None) or Session(name)
    sessions[name] = session
    if len(sessions) > SESSIONS:
        sessions.popitem(last=False)
    return session


def answer(line):
    body = json.loads(line)
    if "stats" in body:
        return {"blocks": sys.getallocatedblocks(), "tracked": len(gc.get_objects())}
    request = Request(session_of(body["session"]), body)
    request.session.seen.append((body["number"], request.response.total))
    return {"total": request.response.total, "seen": len(request.session.seen)}


async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(json.dumps(answer(line)).encode() + b"\n")
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
