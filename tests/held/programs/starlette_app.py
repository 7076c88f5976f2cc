import asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def home(request):
    return JSONResponse(
        {"q": request.query_params.get("q"), "u": str(request.url_for("home")), "j": await request.body() == b""}
    )


def once():
    app = Starlette(routes=[Route("/", home, name="home")])
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(m):
        sent.append(m)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"q=1",
        "headers": [(b"host", b"x")],
        "scheme": "http",
        "server": ("x", 80),
        "root_path": "",
    }
    asyncio.run(app(scope, receive, send))
    return [m.get("status") or m.get("body") for m in sent]
