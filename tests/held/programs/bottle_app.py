import bottle, io


def once():
    app = bottle.Bottle()
    app.route("/x/<n:int>", callback=lambda n: str(n + 1))
    got = []

    def start(status, headers, exc=None):
        got.append(status)

    env = {
        "PATH_INFO": "/x/3",
        "REQUEST_METHOD": "GET",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    return b"".join(app(env, start)), got
