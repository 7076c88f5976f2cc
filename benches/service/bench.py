#!/usr/bin/env python3
"""Memory of the recorder and size of the trace while a service runs for long, at a steady rate, beside the service alone.

    python3 benches/service/bench.py [--refloop PATH] [--python PATH] [--minutes 60] [--rate 20] [--samples FILE]

Asks the service alone and each recorded one the same, so many times a second. The first column is minutes; for each mode
there are the memory that the recorded process has more than the one alone, per block that CPython has allocated, and the
bytes of the trace per request since the row before. A recorder that is bounded by the live heap has the same in each row.

An hour of 30 requests a second on CPython 3.14 (120,000 blocks, 29.7 MB alone), the rows of 10 and of 60 minutes: 19.2 and
18.8 bytes more per block with `--events none`, 117.9 and 114.6 with `survivors` and a checkpoint each five minutes, 100.4 and
100.1 with `full`; 633 and 631, 902 and 922, 2,648 and 2,692 bytes of trace per request, which is 4.91, 5.61 and 6.23 per
event. Each recording had the loop of each of the 108,000 requests.
"""

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = {
    "none": ["--events", "none"],
    "survivors": ["--events", "survivors", "--every", "300"],
    "full": ["--events", "full"],
}


class Service:
    def __init__(self, name, command, environment, trace=None):
        self.name = name
        self.trace = trace
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.stream = socket.create_connection(("127.0.0.1", int(self.process.stdout.readline()))).makefile("rwb")
        # The recorded process is the launcher's child.
        children = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
        with open(children) as file:
            below = file.read().split()
        self.pid = int(below[0]) if trace else self.process.pid

    def ask(self, question):
        self.stream.write(question)
        self.stream.flush()
        return json.loads(self.stream.readline())

    def sample(self):
        with open("/proc/%d/statm" % self.pid) as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        with open("/proc/%d/stat" % self.pid) as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        stats = self.ask(b'{"stats": true}\n')
        stats.update(service=self.name, resident=resident, cpu=(int(user) + int(system)) / os.sysconf("SC_CLK_TCK"))
        stats["written"] = os.path.getsize(self.trace) if self.trace else 0
        return stats

    def end(self):
        self.stream.close()
        self.process.stdin.close()
        return self.process.wait()


def question(number):
    lines = [{"name": "item %d" % (number * 7 % 1000 + place), "price": place + 1, "amount": 2} for place in range(12)]
    return json.dumps({"session": "s%d" % random.randrange(8000), "number": number, "lines": lines}).encode() + b"\n"


def row(now, before, requests):
    alone = now["plain"]
    text = "%7.1f %9d %9.1f MB" % (now["minutes"], alone["blocks"], alone["resident"] / 1e6)
    for name in MODES:
        more = (now[name]["resident"] - alone["resident"]) / alone["blocks"]
        grown = (now[name]["written"] - before[name]["written"]) / max(requests, 1)
        text += "%10.1f %9.0f" % (more, grown)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", default=os.path.join(HERE, "../../target/release/refloop"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--samples", default=os.devnull, help="every figure, one JSON object a line")
    options = parser.parse_args()
    random.seed(1)
    environment = dict(os.environ, PYTHONHASHSEED="0")
    program = [options.python, os.path.join(HERE, "service.py")]
    with tempfile.TemporaryDirectory(prefix="refloop-service-") as folder, open(options.samples, "w") as samples:
        services = [Service("plain", program, environment)]
        for name, words in MODES.items():
            trace = os.path.join(folder, name + ".reftrace")
            command = [options.refloop, "record", "-q", "-o", trace] + words + ["--"] + program
            services.append(Service(name, command, environment, trace))
        print("%7s %9s %12s" % ("minutes", "blocks", "alone") + "".join("%20s" % name for name in MODES))
        print("%30s" % "" + "%10s %9s" % ("B/block", "B/request") * len(MODES))
        start, number, before, asked = time.monotonic(), 0, None, 0
        period = options.minutes * 60 / 12
        while True:
            elapsed = time.monotonic() - start
            if before is None or elapsed >= period * before["place"]:
                now = {service.name: service.sample() for service in services}
                now.update(minutes=elapsed / 60, place=1 if before is None else before["place"] + 1, requests=number)
                samples.write(json.dumps(now) + "\n")
                samples.flush()
                if before is not None:
                    print(row(now, before, number - asked), flush=True)
                before, asked = now, number
                if elapsed >= options.minutes * 60:
                    break
            line = question(number)
            for service in services:
                service.ask(line)
            number += 1
            time.sleep(max(0, start + number / options.rate - time.monotonic()))
        codes = [service.end() for service in services]
        for service in services[1:]:
            check = [options.refloop, "check", "--format", "json", service.trace]
            found = json.loads(subprocess.run(check, stdout=subprocess.PIPE).stdout)
            facts = found["inputs"][0]
            written = os.path.getsize(service.trace)
            loops = found["summary"]["cyclic_garbage"]["loops"]
            print("%-10s %d requests, %d loops, %d events, %.2f bytes an event, %.1f s more of CPU time, ended %s" % (
                service.name, number, loops, facts["events"], written / facts["events"],
                before[service.name]["cpu"] - before["plain"]["cpu"], facts["ending"]))
        if any(codes):
            sys.exit("exit codes %s" % codes)


main()
