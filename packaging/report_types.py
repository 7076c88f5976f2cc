"""Writes the types of `refloop.analyze` from the schema of the JSON report: `python packaging/report_types.py`."""

import json
import keyword
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "report.schema.json"
MODULE = ROOT / "python" / "refloop" / "_report.py"

HEAD = '''"""The JSON report as types. Made from its schema by ``packaging/report_types.py``; not to be edited."""

# What a name means stands in docs/json-schema.md, under the same name.
from typing import Dict, List, Optional, TypedDict, Union
'''

#: Names that Python or ``typing`` has.
RENAMED = {"type": "TypeRow", "input": "Trace", "moment": "Moment"}
PLAIN = {"integer": "int", "number": "float", "string": "str", "boolean": "bool"}


def class_name(*words: str) -> str:
    """``Loop``, ``LoopCut``."""
    first = RENAMED.get(words[0], words[0]) if len(words) == 1 else words[0]
    parts = [first, *words[1:]]
    return "".join(part[:1].upper() + part[1:] for word in parts for part in word.split("_"))


class Types:
    """The classes that were made, each after those that it names."""

    def __init__(self, schema: Dict[str, Any]) -> None:
        self.schema = schema
        self.done: Dict[str, List[str]] = {}

    def of(self, value: Dict[str, Any], words: Tuple[str, ...]) -> str:
        """The type of a value; ``words`` say where it stands."""
        if "$ref" in value:
            name = value["$ref"].rsplit("/", 1)[1]
            return self.record(self.schema["$defs"][name], (name,))
        if "const" in value:
            return type(value["const"]).__name__
        if "anyOf" in value:
            return self.union([self.of(each, words) for each in value["anyOf"]])
        kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
        return self.union([self.of_kind(kind, value, words) for kind in kinds])

    def of_kind(self, kind: str, value: Dict[str, Any], words: Tuple[str, ...]) -> str:
        if kind == "null":
            return "None"
        if kind == "array":
            return f"List[{self.of(value['items'], words)}]"
        if kind == "object" and "properties" not in value:
            return f"Dict[str, {self.of(value['additionalProperties'], words)}]"
        return self.record(value, words) if kind == "object" else PLAIN[kind]

    @staticmethod
    def union(kinds: List[str]) -> str:
        rest = [kind for kind in kinds if kind != "None"]
        if not rest:
            return "None"
        one = rest[0] if len(rest) == 1 else f"Union[{', '.join(rest)}]"
        return one if len(rest) == len(kinds) else f"Optional[{one}]"

    def record(self, value: Dict[str, Any], words: Tuple[str, ...]) -> str:
        name = class_name(*words)
        if name not in self.done:
            fields = {key: self.of(each, (*words, key)) for key, each in value["properties"].items()}
            self.done[name] = self.lines(name, fields, value)
        return name

    @staticmethod
    def lines(name: str, fields: Dict[str, str], value: Dict[str, Any]) -> List[str]:
        if any(keyword.iskeyword(key) for key in fields):
            pairs = [f'        "{key}": {kind},' for key, kind in fields.items()]
            return [f"{name} = TypedDict(", f'    "{name}",', "    {", *pairs, "    },", ")"]
        text = value.get("description", "").rstrip(".")
        summary = [f'    """{text[:1].upper() + text[1:]}."""', ""] if text else []
        if summary and len(summary[0]) > 120:
            summary = []
        required = value.get("required", [])
        if "anyOf" in value:  # the whole report, of which `analyze` gives all
            required = [*required, *value["anyOf"][0]["required"]]
        always = [f"    {key}: {kind}" for key, kind in fields.items() if key in required]
        sometimes = [f"    {key}: {kind}" for key, kind in fields.items() if key not in required]
        if not sometimes:
            return [f"class {name}(TypedDict):", *summary, *always]
        base = [f"class _Always{name}(TypedDict):", *always, "", ""]
        return [*base, f"class {name}(_Always{name}, total=False):", *summary, *sometimes]


def text() -> str:
    """The module, as it should be."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    types = Types(schema)
    types.record(schema, ("report",))
    body = HEAD + "".join("\n\n" + "\n".join(lines) + "\n" for lines in types.done.values())
    unused = [name for name in ("Dict", "List", "Optional", "Union") if f"{name}[" not in body]
    for name in unused:
        body = body.replace(f", {name}", "", 1).replace(f"import {name}, ", "import ", 1)
    return body


if __name__ == "__main__":
    MODULE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {MODULE.relative_to(ROOT)}\n")
