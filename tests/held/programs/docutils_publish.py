from docutils.core import publish_parts


def once():
    return publish_parts("A\n=\n\n* b\n* c_\n\n.. _c: http://d\n", writer_name="html")["body"]
