from transitions import Machine


class Lamp:
    def on_enter_on(self):
        self.seen = True


def once():
    lamp = Lamp()
    Machine(lamp, states=["off", "on"], transitions=[["flip", "off", "on"], ["flip", "on", "off"]], initial="off")
    lamp.flip()
    a = lamp.state
    lamp.flip()
    return a, lamp.state, lamp.is_off(), lamp.seen
