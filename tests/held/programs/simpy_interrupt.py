import simpy


def once():
    env = simpy.Environment()
    log = []

    def sleeper():
        try:
            yield env.timeout(10)
        except simpy.Interrupt as i:
            log.append((env.now, i.cause))

    def waker(p):
        yield env.timeout(3)
        p.interrupt("up")

    env.process(waker(env.process(sleeper())))
    env.run()
    return log
