import io, openpyxl


def sheet():
    return openpyxl.Workbook().active


def once():
    s = sheet()
    s["A1"] = 3
    s["A1"].number_format = "0.00"
    return s.parent.sheetnames, s["A1"].number_format, s.title, s["A1"].font.name
