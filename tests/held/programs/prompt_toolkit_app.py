from prompt_toolkit import PromptSession
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput


def once():
    with create_pipe_input() as i:
        i.send_text("hello\n")
        return PromptSession(input=i, output=DummyOutput()).prompt("> ")
