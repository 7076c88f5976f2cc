"""Objects in loops made by threads, one with a thread object itself."""

import threading


class Worker(threading.Thread):
    def run(self):
        self.result = {"worker": self}


def scenario():
    workers = [Worker() for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    local = threading.local()
    local.me = [local]
