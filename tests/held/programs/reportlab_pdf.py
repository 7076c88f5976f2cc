import io
from reportlab.platypus import SimpleDocTemplate, Paragraph, Table
from reportlab.lib.styles import getSampleStyleSheet


def once():
    out = io.BytesIO()
    doc = SimpleDocTemplate(out, invariant=1)
    doc.build([Paragraph("hello <b>x</b>", getSampleStyleSheet()["Normal"]), Table([["a", "b"], ["c", "d"]])])
    return len(out.getvalue()), doc.page
