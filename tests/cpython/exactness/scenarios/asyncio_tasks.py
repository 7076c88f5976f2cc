"""Tasks that finished, and a future that holds itself."""

import asyncio


class Job:
    async def run(self):
        self.task = asyncio.current_task()
        await asyncio.sleep(0)
        return self


async def main():
    jobs = [Job() for _ in range(3)]
    await asyncio.gather(*(job.run() for job in jobs))


def scenario():
    asyncio.run(main())
