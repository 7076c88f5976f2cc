"""Records are validated and written."""

from typing import List, Optional

from pydantic import BaseModel


class Line(BaseModel):
    name: str
    price: float
    tags: List[str] = []


class Order(BaseModel):
    number: int
    lines: List[Line]
    note: Optional[str] = None


document = {"number": 1, "lines": [{"name": f"n{i}", "price": i / 3, "tags": ["a", "b"]} for i in range(20)]}
print(sum(len(Order.model_validate(document).model_dump_json()) for _ in range(3000)))
