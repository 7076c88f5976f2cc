import requests, requests_mock


def once():
    with requests_mock.Mocker() as m:
        m.get("http://x/a", json={"b": 1})
        r = requests.get("http://x/a")
        return r.json(), m.call_count, r.request.url
