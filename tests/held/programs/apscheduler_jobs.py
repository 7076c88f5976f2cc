from apscheduler.schedulers.background import BackgroundScheduler


def job():
    pass


def once():
    s = BackgroundScheduler(timezone="UTC")
    s.add_job(job, "interval", seconds=1000, id="a")
    s.start(paused=True)
    r = [j.id for j in s.get_jobs()]
    j = s.get_job("a")
    j.modify(name="z")
    s.shutdown()
    return r, j.name
