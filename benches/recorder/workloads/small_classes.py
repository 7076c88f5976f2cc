"""Many small objects of many small classes, most of which die at once."""


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Segment:
    def __init__(self, start, end):
        self.start = start
        self.end = end

    def length(self):
        return abs(self.start.x - self.end.x) + abs(self.start.y - self.end.y)


total = 0
for i in range(600_000):
    total += Segment(Point(i, 0), Point(0, i)).length()
print(total)
