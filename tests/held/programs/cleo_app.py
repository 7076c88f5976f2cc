from cleo.application import Application
from cleo.commands.command import Command
from cleo.testers.command_tester import CommandTester


class Hi(Command):
    name = "hi"

    def handle(self):
        self.line("hi")
        return 0


def once():
    a = Application()
    c = Hi()
    a.add(c)
    t = CommandTester(a.find("hi"))
    t.execute("")
    return t.io.fetch_output(), c.application is a
