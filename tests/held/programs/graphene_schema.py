import graphene


class Q(graphene.ObjectType):
    hi = graphene.String(n=graphene.String(default_value="x"))

    def resolve_hi(self, info, n):
        return "hi " + n


def once():
    return graphene.Schema(query=Q).execute('{ hi(n: "q") }').data
