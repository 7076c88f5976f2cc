"""What a loop holds without being part of it: strings, tuples, dicts, and a chain of objects."""


class Order:
    def __init__(self, number):
        self.me = self
        self.number = number
        self.note = "note %d" % number
        self.lines = [{"sku": "sku-%d" % line, "tags": ("a%d" % line, 1.5)} for line in range(3)]
        self.next = Plain()


class Plain:
    def __init__(self):
        self.bytes = bytes(100)
        self.array = bytearray(500)


def scenario():
    for number in range(5):
        Order(number)
