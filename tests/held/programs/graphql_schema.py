from graphql import build_schema, graphql_sync, parse, print_schema


def once():
    s = build_schema("type Query { me: User } type User { name: String, friends: [User] }")
    r = graphql_sync(s, "{ me { name friends { name } } }", {"me": {"name": "a", "friends": [{"name": "b"}]}})
    return r.data, len(print_schema(s)), graphql_sync(s, "{ x }").errors[0].message
