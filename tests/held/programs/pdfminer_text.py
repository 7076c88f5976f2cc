import io
from pypdf import PdfWriter
from pdfminer.high_level import extract_pages


def once():
    out = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(100, 200)
    writer.write(out)
    out.seek(0)
    return [p.bbox for p in extract_pages(out)]
