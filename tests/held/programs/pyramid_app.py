from pyramid.config import Configurator
from webob import Request


def once():
    with Configurator() as c:
        c.add_route("x", "/x/{n}")
        c.add_view(lambda r: r.matchdict, route_name="x", renderer="json")
        app = c.make_wsgi_app()
    return Request.blank("/x/3").get_response(app).json
