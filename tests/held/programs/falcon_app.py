import falcon
from falcon import testing


class R:
    def on_get(self, req, resp):
        resp.media = {"q": req.get_param("q")}


def once():
    app = falcon.App()
    app.add_route("/r", R())
    return testing.TestClient(app).simulate_get("/r", params={"q": "1"}).json
