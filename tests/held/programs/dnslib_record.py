from dnslib import DNSRecord, RR
from dnslib.server import DNSLogger


def once():
    q = DNSRecord.question("a.b")
    q.header.id = 1
    a = q.reply()
    a.add_answer(*RR.fromZone("a.b 60 A 1.2.3.4"))
    return str(DNSRecord.parse(a.pack()).a.rdata)
