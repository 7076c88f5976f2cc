"""The dict of an instance is kept by itself and outlives the attributes' places."""


class Holder:
    pass


class Other:
    pass


def scenario():
    for _ in range(3):
        holder = Holder()
        holder.first = 1
        holder.me = holder
        holder.space = vars(holder)
        other = Holder()
        other.me = [other]
        vars(other)
        other.__class__ = Other
        other.more = 2
