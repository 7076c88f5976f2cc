"""A deque that holds itself, over several blocks."""

import collections


class Queue(collections.deque):
    pass


def scenario():
    items = collections.deque(range(200))
    items.append(items)
    queue = Queue(maxlen=70)
    for index in range(100):
        queue.append([queue])
    queue.owner = items
