import io
from pypdf import PdfReader, PdfWriter


def page():
    out = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(100, 200)
    writer.add_blank_page(50, 50)
    writer.write(out)
    return PdfReader(out).pages[1]


def once():
    p = page()
    return float(p.mediabox.width), p.extract_text(), p.get_contents() is None, p["/Parent"]["/Count"]
