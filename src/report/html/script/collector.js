// Shows what the collector would do under other settings: a table, and for each setting the garbage over time.

/** Pictures have one scale for all settings, or each its own. */
let hasOneScale = true;

/** A row as the table shows it: of the recorded collector it is not known how much garbage lay there. */
function tableOf(trace) {
  const sum = (known) => (known.includes(null) ? null : known.reduce((all, n) => all + n, 0));
  const recorded = {
    setting: "recorded",
    collections: trace.recorded.runs,
    looked: sum(trace.recorded.looked),
    pause: sum(trace.recorded.pause_ns),
    isRecorded: true,
  };
  const settings = trace.settings.map((row) => ({
    setting: row.setting,
    collections: row.collections,
    looked: sum(row.looked),
    pause: row.estimated_pause_ns,
    peak: row.peak,
    left: row.left,
  }));
  const generation = (nth) => ({ title: `Gen ${nth}`, value: (row) => row.collections[nth], number: true });
  const pause = (row) => `${row.isRecorded || row.pause === 0 ? "" : "about "}${duration(row.pause)}`;
  const garbage = (title, key) => ({
    title,
    value: (row) => (row[key] ? row[key].likely.bytes : null),
    show: (row) => (row[key] ? span(row[key].least.bytes, row[key].likely.bytes, row[key].most.bytes) : ""),
    number: true,
  });
  const columns = [
    { title: "Collector", value: (row) => row.setting, show: (row) => name(row.setting) },
    ...[0, 1, 2].map(generation),
    { title: "Looked at", value: (row) => row.looked, show: (row) => (row.looked === null ? "not known" : count(row.looked)), number: true },
    { title: "Pauses", value: (row) => row.pause, show: (row) => (row.pause === null ? "not known" : pause(row)), number: true },
    garbage("Most garbage", "peak"),
    garbage("Left", "left"),
  ];
  return table({ rows: [recorded, ...settings], columns, words: () => [], what: "settings", caption: "Settings of the collector" });
}

/** An amount that is known between bounds. */
const span = (least, likely, most) =>
  least === most ? bytes(likely) : `${bytes(likely)} (${bytes(least)} to ${bytes(most)})`;

/** The garbage under one setting: what is likely, and what it can have been. */
function garbageChart(setting, rows, highest) {
  const amounts = (side) => rows.map((row) => row.bytes[side]);
  const [least, likely, most] = [0, 1, 2].map(amounts);
  const over = timesOf(rows);
  const place = element("div", "chart");
  const reading = chartReading();
  const chosen = { at: rows.length - 1 };
  const read = (at) => (reading.textContent = `${moment(rows[at])}: ${span(...rows[at].bytes)} of garbage`);

  function draw(width) {
    const scale = hasOneScale ? highest : Math.max(1, ...most);
    const frame = chartFrame({ times: over.times, width, height: 120, foot: 8, highest: scale, shares: [0, 0.5, 1], amount: bytes });
    frame.area("bounds", least, most);
    frame.made.append(svg("polyline", { class: "likely", points: frame.line(likely).join(" ") }));
    addCursor(frame, chosen, read);
    nameChart(frame.made, `Garbage over time under ${setting.setting}`);
    place.replaceChildren(frame.made, chartEnds(over));
  }

  const notes = [];
  if (rows.length < setting.all_moments)
    notes.push(`${count(rows.length)} of ${count(setting.all_moments)} moments are drawn, those with the most and the least garbage.`);
  return element("div", "", element("h3", "", name(setting.setting)), pictureIn(place, draw), reading, element("p", "soft", ...notes));
}

/** The table and the pictures of one trace. */
function traceSection(trace, nth) {
  const drawable = trace.settings.filter((setting) => setting.moments);
  const rows = drawable.map((setting) => rowsOf(setting.moments));
  const highest = Math.max(1, ...rows.flat().map((row) => row.bytes[2]));
  const made = element(
    "section",
    "",
    element("h2", "", name(trace.trace)),
    tableOf(trace),
    ...trace.notes.map((text) => element("p", "soft", text)),
    element("h2", "", "Garbage over time"),
    legend(),
    ...drawable.map((setting, at) => garbageChart(setting, rows[at], highest)),
  );
  const without = trace.settings.length - drawable.length;
  if (without > 0)
    made.append(element("p", "soft", `${counted(without, "more picture has", "more pictures have")} no room in this page.`));
  made.id = `trace${nth}`;
  return made;
}

function legend() {
  const made = element("p", "legend soft");
  const sample = (kind, text) => made.append(element("span", "", element("i", kind), text));
  sample("likely", "garbage, if it became so as early as it can have been");
  sample("bounds", "what can have lain there, at least and at most");
  const scale = button("A scale for each", (pressed) => {
    hasOneScale = !hasOneScale;
    document.querySelectorAll(".scale").forEach((other) => (other.textContent = hasOneScale ? "A scale for each" : "One scale for all"));
    redrawPictures();
    pressed.focus();
  });
  scale.className = "scale";
  return element("div", "", made, element("div", "tools", scale));
}

const main = document.getElementById("main");
const settings = Math.max(0, ...report.traces.map((trace) => trace.settings.length));
main.append(
  element("h1", "", `What the collector would do under ${counted(settings, "setting", "settings")}`),
  element(
    "p",
    "soft",
    "The recorded program, replayed beside CPython's collector as it would work. Pauses are an estimate, from what an object took in the recorded collections. Garbage rises until a collection looks at it.",
  ),
  ...report.traces.map(traceSection),
  element("p", "soft", `Written by refloop ${report.version}. Nothing in this page is loaded from elsewhere.`),
);
drawPictures();
addEventListener("resize", drawPictures);
addEventListener("beforeprint", drawPictures);
