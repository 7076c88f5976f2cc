"""Objects with arrays and views of their own, and what steps over them."""

import numpy


class Sample:
    def __init__(self, number):
        self.values = numpy.arange(number % 7 + 1, dtype=float)
        self.view = self.values[1:]
        self.mean = self.values.mean()
        self.tags = {"number": number, "words": ["a", str(number)]}


samples = [Sample(number) for number in range(60_000)]
index = numpy.empty(len(samples), dtype=object)
index[:] = samples
generators = [numpy.random.default_rng(number) for number in range(500)]
steps = [numpy.nditer(sample.values) for sample in samples[:2_000]]
