"""Validated models, and a client's requests and responses."""

from typing import List, Optional

import httpx
import pydantic


class Address(pydantic.BaseModel):
    street: str
    tags: List[str] = []


class User(pydantic.BaseModel):
    number: int
    address: Address
    friends: List[int] = []
    note: Optional[str] = None


users = [
    User(number=number, address=Address(street="s%d" % number), friends=[number, number + 1]) for number in range(60_000)
]
models = [pydantic.create_model("Model%d" % number, a=(int, number), b=(str, "x")) for number in range(200)]
adapters = [pydantic.TypeAdapter(List[int]) for _ in range(300)]
clients = [httpx.Client(verify=False) for _ in range(50)]
requests = [
    clients[number % 50].build_request("POST", "https://example.org/%d" % number, json={"number": number})
    for number in range(4_000)
]
responses = [httpx.Response(200, request=request, json={"ok": [1, 2]}) for request in requests]
