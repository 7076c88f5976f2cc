import io
from pypdf import PdfReader, PdfWriter


def once():
    out = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(100, 200)
    writer.add_metadata({"/Title": "t"})
    writer.add_outline_item("x", 0)
    writer.write(out)
    reader = PdfReader(out)
    return len(reader.pages), reader.pages[0].mediabox.height, reader.metadata.title, [o.title for o in reader.outline]
