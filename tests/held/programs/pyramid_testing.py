from pyramid import testing


def view(request):
    request.session["a"] = 1
    return {"u": request.route_url("x", n=3)}


def once():
    request = testing.DummyRequest(params={"q": "1"})
    config = testing.setUp(request=request)
    config.add_route("x", "/x/{n}")
    r = view(request)
    testing.tearDown()
    return r, request.params
