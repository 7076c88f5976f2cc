import simpy


def once():
    env = simpy.Environment()
    shop = simpy.Resource(env, 1)
    log = []

    def customer(n):
        with shop.request() as request:
            yield request
            yield env.timeout(2)
            log.append((n, env.now))

    for n in range(3):
        env.process(customer(n))
    env.run(until=5)
    return log, shop.count
