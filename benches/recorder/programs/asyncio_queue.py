"""Tasks pass on what they are given."""

import asyncio


async def worker(inbox, outbox):
    while (item := await inbox.get()) is not None:
        await outbox.put({"item": item, "double": item * 2})
    await outbox.put(None)


async def main():
    inbox, outbox = asyncio.Queue(100), asyncio.Queue(100)
    task = asyncio.ensure_future(worker(inbox, outbox))

    async def feed():
        for item in range(60_000):
            await inbox.put(item)
        await inbox.put(None)

    feeder = asyncio.ensure_future(feed())
    total = 0
    while (answer := await outbox.get()) is not None:
        total += answer["double"]
    await asyncio.gather(task, feeder)
    print(total)


asyncio.run(main())
