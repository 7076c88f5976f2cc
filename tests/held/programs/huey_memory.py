from huey import MemoryHuey


def once():
    h = MemoryHuey(immediate=True)

    @h.task()
    def add(a, b):
        return a + b

    return add(1, 2)(), h.pending()
