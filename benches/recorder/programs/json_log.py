"""Lines of JSON are read, changed and written."""

import json

lines = [json.dumps({"id": i, "tags": ["a", "b", str(i)], "size": {"w": i, "h": -i}}) for i in range(20_000)]
total = 0
for _ in range(3):
    for line in lines:
        record = json.loads(line)
        record["tags"].append(record["size"]["w"])
        total += len(json.dumps(record))
print(total)
