import datetime
from fpdf import FPDF


def once():
    pdf = FPDF()
    pdf.set_creation_date(datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc))
    pdf.add_page()
    pdf.set_font("helvetica")
    pdf.cell(text="hello")
    with pdf.table() as table:
        row = table.row()
        row.cell("a")
        row.cell("b")
    return len(pdf.output()), pdf.pages_count
