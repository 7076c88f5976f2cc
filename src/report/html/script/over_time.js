// Draws the bytes of types over time: one layer on the other, the largest at the bottom.

/** What the types of one trace weighed at each look at the whole heap. */
function typesChart(picture) {
  const layers = rowsOf(picture.types).map((row) => ({ title: row.type, values: row.bytes }));
  if (picture.others.some((value) => value > 0)) layers.push({ title: "all other types", values: picture.others });
  const moments = picture.moments;
  const hasTimes = moments.every((at) => at.ns !== null);
  const time = (at) => (hasTimes ? at.ns : at.event);
  const [first, last] = [time(moments[0]), time(moments[moments.length - 1])];
  const sums = moments.map((_, at) => layers.reduce((sum, layer) => sum + layer.values[at], 0));
  const highest = Math.max(1, ...sums);
  const place = element("div", "chart");
  const reading = element("p", "soft reading", "Move over the picture, or use the arrow keys in it, to read a moment.");
  let chosen = moments.length - 1;

  function read(at) {
    chosen = Math.min(moments.length - 1, Math.max(0, at));
    const most = [...layers].sort((a, b) => b.values[chosen] - a.values[chosen]).slice(0, 4);
    const parts = most.filter((layer) => layer.values[chosen] > 0).flatMap((layer, nth) => {
      return [nth ? ", " : "", name(layer.title), ` ${bytes(layer.values[chosen])}`];
    });
    reading.replaceChildren(`${moment(moments[chosen])}: ${bytes(sums[chosen])} in all; `, ...parts);
  }

  function draw(width) {
    const [left, right, top, height] = [64, 12, 10, 230];
    const x = (at) => left + ((width - left - right) * (time(at) - first)) / Math.max(1, last - first);
    const y = (value) => top + (height - top) * (1 - value / highest);
    const made = svg("svg", { width, height: height + 12, viewBox: `0 0 ${width} ${height + 12}`, role: "img" });
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const value = highest * share;
      made.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
      made.append(tag(bytes(Math.round(value)), left - 8, y(value) + 4, "end"));
    }
    let floor = moments.map(() => 0);
    layers.forEach((layer, nth) => {
      const roof = floor.map((value, at) => value + layer.values[at]);
      const line = (values) => values.map((value, at) => `${x(moments[at]).toFixed(1)},${y(value).toFixed(1)}`);
      made.append(svg("polygon", { class: `layer layer${nth}`, points: [...line(roof), ...line(floor).reverse()].join(" ") }));
      floor = roof;
    });
    const cursor = svg("line", { class: "cursor", x1: -9, x2: -9, y1: top, y2: height });
    made.append(cursor);
    const choose = (at) => {
      read(at);
      for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(moments[chosen]));
    };
    made.addEventListener("pointermove", (event) => {
      const there = event.clientX - made.getBoundingClientRect().left;
      const distance = (at) => Math.abs(x(moments[at]) - there);
      choose(moments.reduce((best, _, at) => (distance(at) < distance(best) ? at : best), 0));
    });
    made.addEventListener("keydown", (event) => {
      const next = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: moments.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      choose(next);
    });
    made.setAttribute("tabindex", 0);
    made.setAttribute("aria-label", "Bytes of types over time; arrow keys read it");
    const ends = hasTimes ? [duration(first), duration(last)] : [`event ${count(first)}`, `event ${count(last)}`];
    place.replaceChildren(
      made,
      element("p", "ends soft", element("span", "", ends[0]), element("span", "", ends[1])),
    );
  }

  const legend = element("p", "legend soft");
  layers.forEach((layer, nth) => legend.append(element("span", "", element("i", `layer${nth}`), name(layer.title))));
  return element("div", "", pictureIn(place, draw), legend, reading);
}

function typesOverTimeSection() {
  const drawable = report.types_over_time.filter((picture) => picture.moments.length > 1 && rowsOf(picture.types).length);
  if (!drawable.length) return null;
  return section(
    "types-over-time",
    "Types over time",
    "What the types with most bytes weighed, each time the whole heap was looked at, garbage included.",
    ...drawable.flatMap((picture) => [
      drawable.length > 1 ? element("h3", "", picture.trace) : null,
      typesChart(picture),
    ].filter((part) => part)),
  );
}
