"""Dicts with 300 and 70,000 keys that hold themselves."""


def scenario():
    for size in (300, 70_000):
        table = {"key%d" % index: index for index in range(size)}
        table["self"] = table
        mixed = {index: str(index) for index in range(size)}
        mixed["self"] = mixed
