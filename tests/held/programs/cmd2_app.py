import cmd2, io


class A(cmd2.Cmd):
    def do_hi(self, arg):
        self.poutput("hi " + arg)


def once():
    out = io.StringIO()
    a = A(stdout=out)
    a.onecmd_plus_hooks("hi x")
    return out.getvalue()
