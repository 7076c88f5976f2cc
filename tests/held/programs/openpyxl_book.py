import io, openpyxl


def once():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([1, 2, 3])
    sheet["B2"] = "=A1"
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    again = openpyxl.load_workbook(out)
    cell = again.active["B2"]
    return cell.value, cell.parent.title, again.sheetnames, [[c.value for c in r] for r in again.active.iter_rows()]
