"""A template with a loop and a macro is rendered."""

import jinja2

SOURCE = """
{% macro cell(value) %}<td>{{ value|upper }}</td>{% endmacro %}
<table>{% for row in rows %}<tr>{% for item in row %}{{ cell(item) }}{% endfor %}</tr>{% endfor %}</table>
"""
rows = [[f"r{i}c{j}" for j in range(8)] for i in range(300)]
print(sum(len(jinja2.Template(SOURCE).render(rows=rows)) for _ in range(25)))
