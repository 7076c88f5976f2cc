from prompt_toolkit.layout import Layout, HSplit, Window, BufferControl
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document


def once():
    b = Buffer()
    got = []
    b.on_text_changed += lambda _: got.append(b.text)
    b.insert_text("ab")
    b.set_document(Document("xyz"))
    b.cursor_left()
    l = Layout(HSplit([Window(BufferControl(b)), Window()]))
    b.undo()
    return got, l.current_buffer is b, b.text
