"""A task whose exception holds the frame that holds the task."""

import asyncio


async def fail():
    task = asyncio.current_task()
    raise RuntimeError("no", task)


async def main():
    task = asyncio.get_running_loop().create_task(fail())
    try:
        await task
    except RuntimeError as error:
        kept = error


def scenario():
    asyncio.run(main())
