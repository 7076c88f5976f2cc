// Draws the bytes of types over time: one layer on the other, the largest at the bottom.

/** What the types of one trace weighed at each look at the whole heap. */
function typesChart(picture) {
  const layers = rowsOf(picture.types).map((row) => ({ title: row.type, values: row.bytes }));
  if (picture.others.some((value) => value > 0)) layers.push({ title: "all other types", values: picture.others });
  const moments = picture.moments;
  const over = timesOf(moments);
  const sums = moments.map((_, at) => layers.reduce((sum, layer) => sum + layer.values[at], 0));
  const highest = Math.max(1, ...sums);
  const place = element("div", "chart");
  const reading = chartReading();
  const chosen = { at: moments.length - 1 };

  function read(at) {
    const most = [...layers].sort((a, b) => b.values[at] - a.values[at]).slice(0, 4);
    const parts = most.filter((layer) => layer.values[at] > 0).flatMap((layer, nth) => {
      return [nth ? ", " : "", name(layer.title), ` ${bytes(layer.values[at])}`];
    });
    reading.replaceChildren(`${moment(moments[at])}: ${bytes(sums[at])} in all; `, ...parts);
  }

  function draw(width) {
    const shares = [0, 0.25, 0.5, 0.75, 1];
    const frame = chartFrame({ times: over.times, width, height: 230, foot: 12, highest, shares, amount: bytes });
    let floor = moments.map(() => 0);
    layers.forEach((layer, nth) => {
      const roof = floor.map((value, at) => value + layer.values[at]);
      frame.area(`layer layer${nth}`, floor, roof);
      floor = roof;
    });
    addCursor(frame, chosen, read);
    nameChart(frame.made, "Bytes of types over time");
    place.replaceChildren(frame.made, chartEnds(over));
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
