from invoke import task, Collection, Program, Context, Config, Executor


@task
def a(c):
    return 3


def once():
    ns = Collection(a)
    e = Executor(ns, Config())
    r = e.execute("a")
    return list(r.values()), Context().run("echo hi", hide=True).stdout
