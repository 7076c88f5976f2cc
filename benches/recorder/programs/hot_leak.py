"""A tree whose nodes refer to their parent is made and dropped, again and again, beside other work."""

import json


class Node:
    def __init__(self, parent=None):
        self.parent = parent
        self.kids = []
        if parent is not None:
            parent.kids.append(self)


text = json.dumps({"a": [1, 2, {"b": "c"}] * 60})
total = 0
for _ in range(8_000):
    root = Node()
    for _ in range(4):
        Node(root)
    total += len(json.loads(text)["a"])
print(total)
