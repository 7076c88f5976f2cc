from statemachine import StateMachine, State


class Light(StateMachine):
    green = State(initial=True)
    red = State()
    cycle = green.to(red) | red.to(green)

    def on_enter_red(self):
        self.seen = True


def once():
    l = Light()
    l.cycle()
    return [s.id for s in l.configuration] if hasattr(l, "configuration") else l.current_state.id, l.seen
