"""JSON: parse and write a document of nested objects, many times."""
import json

document = {"orders": [{"id": i, "name": "order %d" % i, "lines": [{"sku": str(j), "price": j * 1.5} for j in range(5)]} for i in range(200)]}
text = json.dumps(document)
total = 0
for _ in range(150):
    parsed = json.loads(text)
    total += len(json.dumps(parsed))
print(total)
