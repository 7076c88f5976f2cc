"""Frames of objects and times, and their groups."""

import numpy
import pandas

stamps = [pandas.Timestamp(2020, 1, 1) + pandas.Timedelta(minutes=minute) for minute in range(100_000)]
zoned = [stamp.tz_localize("UTC") for stamp in stamps[:20_000]]
frames = [
    pandas.DataFrame({"n": numpy.arange(5), "letter": list("abcde"), "at": stamps[start : start + 5]})
    for start in range(1_500)
]
groups = [frame.groupby("letter") for frame in frames[:300]]
periods = list(pandas.period_range("2000", periods=50_000, freq="D"))
intervals = [pandas.Interval(start, start + 1) for start in range(50_000)]
objects = pandas.Series([{"n": number, "list": [number]} for number in range(50_000)])
