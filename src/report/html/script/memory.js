// Draws memory over time: what was alive, and the garbage on top of it.

/** What one trace had alive and as garbage, in bytes, or in objects where it has no sizes. */
function memoryChart(memory) {
  const points = rowsOf(memory.points);
  const inBytes = points.some((point) => point.live_bytes !== null || point.garbage_bytes > 0);
  const [live, garbage] = inBytes ? ["live_bytes", "garbage_bytes"] : ["live_objects", "garbage_objects"];
  const amount = inBytes ? bytes : count;
  const over = timesOf(points);
  const time = (point) => (over.hasTimes ? point.ns : point.event);
  const known = points.filter((point) => point[live] !== null);

  /** How much is alive without the garbage; between two known moments on the line that joins them, elsewhere not known. */
  function ground(point) {
    if (point[live] !== null) return point[live] - (point[garbage] ?? 0);
    const after = known.find((other) => time(other) >= time(point));
    const before = known.findLast((other) => time(other) <= time(point));
    if (!before || !after) return null;
    const share = time(after) === time(before) ? 0 : (time(point) - time(before)) / (time(after) - time(before));
    return ground(before) + share * (ground(after) - ground(before));
  }

  const place = element("div", "chart");
  const reading = chartReading();
  const chosen = { at: points.length - 1 };

  function read(at) {
    const point = points[at];
    const what =
      {
        checkpoint: "the whole heap was looked at",
        sweep: "garbage was looked for",
        collection: "a collection began",
        collected: "a collection ended",
        end: "the end",
      }[point.occasion] || point.occasion;
    const generation = point.generation === null ? "" : ` (generation ${point.generation})`;
    const alive = point[live] === null ? "alive not known" : `${amount(point[live])} alive`;
    reading.textContent = `${moment(point)}: ${alive}, ${amount(point[garbage])} of garbage known; ${what}${generation}`;
  }

  const grounds = points.map(ground);
  const dead = points.map((point) => point[garbage] ?? 0);
  const sums = grounds.map((value, at) => (value === null ? null : value + dead[at]));
  const [highest, most] = [Math.max(1, ...sums), Math.max(1, ...dead)];

  /** A picture of `height` from 0 to `highest`, with what lies between the lower and the upper values of the points. */
  function picture(width, height, highest, layers) {
    const shares = height > 150 ? [0, 0.25, 0.5, 0.75, 1] : [0, 1];
    const frame = chartFrame({ times: over.times, width, height, foot: 26, highest, shares, amount });
    layers.forEach(([kind, lower, upper]) => frame.area(kind, lower, upper));
    points.forEach(({ occasion, generation }, at) => {
      if (occasion !== "collection" && occasion !== "checkpoint") return;
      const [x, y] = [frame.x(at), frame.y(0) + 2];
      const length = occasion === "checkpoint" ? 17 : 5 + 4 * (generation ?? 0);
      frame.made.append(svg("line", { class: occasion, x1: x, x2: x, y1: y, y2: y + length }));
    });
    addCursor(frame, chosen, read);
    return frame.made;
  }

  /** What is alive can be drawn; the garbage is drawn by itself where that is not known, or where it is a thin line. */
  const hasGround = known.length > 1;
  const isApart = !hasGround || most * 5 < highest || grounds.includes(null);

  function draw(width) {
    const zero = points.map(() => 0);
    const floor = grounds.map((value) => (value === null ? null : 0));
    const drawn = [];
    if (hasGround)
      drawn.push(
        picture(width, 230, highest, [
          ["alive", floor, grounds],
          ["garbage", grounds, sums],
        ]),
      );
    if (hasGround && isApart) drawn.push(element("p", "soft", "The garbage alone:"));
    if (isApart) drawn.push(picture(width, hasGround ? 90 : 230, most, [["garbage", zero, dead]]));
    nameChart(drawn[0], "Memory over time");
    place.replaceChildren(...drawn, chartEnds(over));
  }

  const legend = element("p", "legend soft");
  const sample = (kind, text) => legend.append(element("span", "", element("i", kind), text));
  if (hasGround) sample("alive", "alive");
  sample("garbage", hasGround ? "garbage, on top of it" : "garbage");
  sample("collection", "a collection (longer: an older generation)");
  sample("checkpoint", "a look at the whole heap");
  const notes = [];
  if (!known.length) notes.push("How much was alive is not known.");
  else if (!hasGround)
    notes.push(`How much was alive is known at one moment only: ${amount(known[0][live])} at ${moment(known[0])}.`);
  else if (known.length < points.length)
    notes.push(
      "How much was alive is known at looks at the whole heap only; between two of them it is drawn as a straight line.",
    );
  if (memory.thinned)
    notes.push(`${count(points.length)} of ${count(memory.moments)} moments are drawn, those with most garbage.`);
  if (!inBytes) notes.push("The trace has no sizes: these are objects.");
  return element("div", "", pictureIn(place, draw), legend, reading, element("p", "soft", notes.join(" ")));
}

/** What the collector did, by generation; a column that nothing is known of is not there. */
function collectionsSection() {
  const rows = rowsOf(report.collections);
  if (!rows.length) return null;
  const known = (title, key, show) =>
    rows.some((row) => row[key] !== null)
      ? [{ title, value: (row) => row[key], show: (row) => (row[key] === null ? "not known" : show(row[key])), number: true }]
      : [];
  const columns = [
    { title: "Generation", value: (row) => row.generation, number: true },
    { title: "Collections", value: (row) => row.collections, number: true },
    ...known("Objects looked at", "looked_at", count),
    { title: "Freed", value: (row) => row.freed, number: true },
    { title: "Given up", value: (row) => row.uncollectable, number: true },
    ...known("Pauses", "pause_ns", duration),
    ...known("Longest pause", "longest_pause_ns", duration),
  ];
  return section(
    "collections",
    "What the collector did",
    "The collections of the program's own collector that were seen; one of an older generation looks at the younger ones too.",
    table({ rows, columns, words: () => [], what: "generations", caption: "Collections by generation" }),
  );
}

function memorySection() {
  const says = (point) => point.live_objects !== null || point.garbage_objects > 0;
  const drawable = report.memory.filter((memory) => rowsOf(memory.points).filter(says).length > 1);
  if (!drawable.length) return null;
  const place = element("div", "", memoryChart(drawable[0]));
  const parts = [];
  if (drawable.length > 1) {
    const select = element(
      "select",
      "",
      ...drawable.map((memory, at) => element("option", "", `${at + 1}: ${memory.trace}`)),
    );
    select.addEventListener("change", () => {
      place.replaceChildren(memoryChart(drawable[select.selectedIndex]));
      drawPictures();
    });
    parts.push(element("div", "tools", element("label", "", "Trace ", select)));
  }
  if (report.memory_left_out > 0)
    parts.push(
      element(
        "p",
        "soft",
        `${counted(report.memory_left_out, "more trace has", "more traces have")} no room in this page.`,
      ),
    );
  return section(
    "memory",
    "Memory over time",
    "What was alive, and on top of it what was garbage: alive no more for the program, and not freed yet.",
    ...parts,
    place,
  );
}
