"""Asks a service without a pause, from several connections, until a file is there; says how many answers it had, and how long they took."""

import json
import os
import socket
import threading
import time

CONNECTIONS = 4
failed, wrong, times = [], [], []


def expected(number):
    return sum(each * each for each in range(number % 50))


def ask():
    number = 0
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect("socket")
        while not os.path.exists("enough"):
            number += 1
            begun = time.perf_counter()
            connection.sendall(b"GET /%d HTTP/1.1\r\n\r\n" % number)
            head, body = connection.recv(4096).split(b"\r\n\r\n")
            times.append(time.perf_counter() - begun)
            if head != b"HTTP/1.1 200 OK" or json.loads(body) != {"number": number, "sum": expected(number)}:
                wrong.append((number, head, body))
            time.sleep(0.001)
        connection.close()
    except Exception as error:
        failed.append((number, repr(error)))


threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
times.sort()
part = lambda share: round(times[int(len(times) * share)] * 1e3, 2)
print(json.dumps({"requests": len(times), "failed": failed[:3], "wrong": repr(wrong[:3]) if wrong else "",
                  "p50_ms": part(0.5), "p99_ms": part(0.99), "longest_ms": round(times[-1] * 1e3, 2)}))
