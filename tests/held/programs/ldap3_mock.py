import ldap3


def once():
    s = ldap3.Server("x")
    c = ldap3.Connection(s, client_strategy=ldap3.MOCK_SYNC, user="cn=a,o=b", password="p")
    c.strategy.add_entry("cn=a,o=b", {"userPassword": "p", "sn": "z", "objectClass": "person"})
    r = c.bind()
    c.search("o=b", "(sn=z)", attributes=["sn"])
    e = [x.entry_dn for x in c.entries]
    c.unbind()
    return r, e
