"""A service that keeps its last orders and parses a document for each request; `python service.py REQUESTS`.

For `cargo bench --bench replay`: 100,000 requests are a recording of about 120 million events with every birth and
death in it (`refloop record --events full`), and a heap of 1.3 million objects.
"""

import collections
import json
import sys


class Line:
    def __init__(self, order, number):
        self.order = order
        self.number = number
        self.price = number * 1.5


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = [Line(self, number + index / 4) for index in range(3)]
        self.tags = {"name": str(number), "pair": [number, number + 1]}


def user(number):
    return {"id": number, "name": "user %d" % number, "tags": ["x%d" % number, "y"], "score": number * 0.37}


kept = collections.OrderedDict()
document = json.dumps([user(number) for number in range(50)])


def handle(number):
    users = json.loads(document)
    kept[number] = Order(number)
    if len(kept) > 60_000:
        kept.popitem(last=False)
    return sum(user["score"] for user in users)


total = 0
for request in range(int(sys.argv[1])):
    total += handle(request)
print("%.2f" % total)
