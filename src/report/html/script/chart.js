// Draws the frame of a picture over time, and lets a reader go through its moments.

/** What a picture over time is drawn over: event numbers, where the trace has no times. */
function timesOf(moments) {
  const hasTimes = moments.every((at) => at.ns !== null);
  return { hasTimes, times: moments.map((at) => (hasTimes ? at.ns : at.event)) };
}

/**
 * The lines of the scale, from 0 to `highest`, `foot` pixels below them, and what gives the place of a moment and of a value.
 */
function chartFrame({ times, width, height, foot, highest, shares, amount }) {
  const [left, right, top] = [64, 12, 10];
  const [first, last] = [times[0], times[times.length - 1]];
  const x = (at) => left + ((width - left - right) * (times[at] - first)) / Math.max(1, last - first);
  const y = (value) => top + (height - top) * (1 - value / highest);
  const made = svg("svg", { width, height: height + foot, viewBox: `0 0 ${width} ${height + foot}`, role: "img" });
  for (const share of shares) {
    const value = highest * share;
    made.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    made.append(tag(amount(Math.round(value)), left - 8, y(value) + 4, "end"));
  }
  /** Places of the values, moment by moment; what is not known has none. */
  const line = (values) =>
    values.flatMap((value, at) => (value === null ? [] : [`${x(at).toFixed(1)},${y(value).toFixed(1)}`]));
  /** What lies between the lower and the upper values. */
  const area = (kind, lower, upper) =>
    made.append(svg("polygon", { class: kind, points: [...line(upper), ...line(lower).reverse()].join(" ") }));
  return { made, times, x, y, top, height, line, area };
}

/** A line across the picture at the chosen moment: it follows the pointer and the arrow keys, and `read` says what is there. */
function addCursor({ made, times, x, top, height }, chosen, read) {
  const cursor = svg("line", { class: "cursor", x1: -9, x2: -9, y1: top, y2: height });
  made.append(cursor);
  const choose = (at) => {
    chosen.at = Math.min(times.length - 1, Math.max(0, at));
    read(chosen.at);
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(chosen.at));
  };
  made.addEventListener("pointermove", (event) => {
    const there = event.clientX - made.getBoundingClientRect().left;
    const distance = (at) => Math.abs(x(at) - there);
    choose(times.reduce((best, _, at) => (distance(at) < distance(best) ? at : best), 0));
  });
  made.addEventListener("keydown", (event) => {
    const next = { ArrowLeft: chosen.at - 1, ArrowRight: chosen.at + 1, Home: 0, End: times.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  });
}

/** Lets the keyboard come to a picture. */
function nameChart(made, text) {
  made.setAttribute("tabindex", 0);
  made.setAttribute("aria-label", `${text}; arrow keys read it`);
}

/** The line that says what is at the chosen moment. */
const chartReading = () =>
  element("p", "soft reading", "Move over the picture, or use the arrow keys in it, to read a moment.");

/** The first and the last moment, below a picture. */
function chartEnds({ hasTimes, times }) {
  const [first, last] = [times[0], times[times.length - 1]];
  const ends = hasTimes ? [duration(first), duration(last)] : [`event ${count(first)}`, `event ${count(last)}`];
  return element("p", "ends soft", element("span", "", ends[0]), element("span", "", ends[1]));
}
