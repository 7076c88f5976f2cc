from kombu import Connection, Queue


def once():
    got = []
    with Connection("memory://") as c:
        q = c.SimpleQueue("a")
        q.put({"x": 1})
        m = q.get(timeout=1)
        got.append(m.payload)
        m.ack()
        q.close()
    return got
