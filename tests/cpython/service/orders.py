"""A FastAPI service under load, with two leaks of its own: an order and its lines hold each other, and a failed request keeps the
exception that it has caught."""

import asyncio

import httpx
from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()


class Line:
    def __init__(self, order, number):
        self.order = order
        self.number = number


class Order:
    def __init__(self, n_lines):
        self.lines = [Line(self, number) for number in range(n_lines)]

    def total(self):
        return sum(line.number for line in self.lines)


def parse(text):
    try:
        return int(text)
    except ValueError as error:
        return error


def count(n: str = "3"):
    parsed = parse(n)
    if isinstance(parsed, ValueError):
        raise HTTPException(422, "no number") from parsed
    return parsed


@app.get("/orders")
async def orders(n: int = Depends(count)):
    return {"total": Order(n).total()}


@app.get("/health")
async def health():
    return {"ok": True}


def answer(status, text):
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        kept = error
    return {"status": status, "kept": str(kept)}


@app.get("/reports/{name}")
async def report(name: str):
    return answer(500, name)


async def load():
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for number in range(25):
            answers = await asyncio.gather(
                *(client.get(f"/orders?n={number % 5}") for _ in range(20)),
                *(client.get("/health") for _ in range(10)),
                *(client.get(f"/reports/r{number}") for _ in range(10)),
            )
            assert all(response.status_code == 200 for response in answers)


asyncio.run(load())
