import io, pptx


def once():
    p = pptx.Presentation()
    s = p.slides.add_slide(p.slide_layouts[0])
    s.shapes.title.text = "hi"
    out = io.BytesIO()
    p.save(out)
    out.seek(0)
    again = pptx.Presentation(out)
    return again.slides[0].shapes.title.text, again.slides[0].slide_layout.name
