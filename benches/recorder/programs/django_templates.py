"""A template of Django is rendered without a site."""

from django.conf import settings
from django.template import Context, Engine

settings.configure(USE_I18N=False)
SOURCE = "{% for row in rows %}<p>{{ row.name|title }}{% if row.size > 3 %}: {{ row.size|add:1 }}{% endif %}</p>{% endfor %}"
rows = [{"name": f"name {i}", "size": i % 7} for i in range(500)]
template = Engine().from_string(SOURCE)
print(sum(len(template.render(Context({"rows": rows}))) for _ in range(20)))
