"""A numeric loop: floats that live for an instant, and no call deeper than one."""


def step(bodies, dt):
    for i, (x1, v1, m1) in enumerate(bodies):
        force = 0.0
        for j, (x2, _, m2) in enumerate(bodies):
            if i != j:
                distance = x2 - x1
                force += m2 * distance / (abs(distance) ** 3 + 0.01)
        bodies[i] = (x1 + v1 * dt, v1 + force * dt, m1)


bodies = [(float(i), 0.0, 1.0 + i) for i in range(8)]
for _ in range(15_000):
    step(bodies, 0.001)
print(round(bodies[0][0], 6))
