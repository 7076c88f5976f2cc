import requests, responses


@responses.activate
def once():
    responses.get("http://x/a", json={"b": 1})
    r = requests.get("http://x/a")
    return r.json(), len(responses.calls), responses.calls[0].request.url
