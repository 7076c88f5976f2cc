import io, docx


def once():
    d = docx.Document()
    p = d.add_paragraph("hello ")
    p.add_run("bold").bold = True
    d.add_table(1, 2).cell(0, 1).text = "x"
    out = io.BytesIO()
    d.save(out)
    out.seek(0)
    again = docx.Document(out)
    return [p.text for p in again.paragraphs], again.tables[0].cell(0, 1).text, again.part.package is not None
