// Shows the loops: a card for each, with its picture, what to cut, and where it was made.

const details = new Map(rowsOf(report.details).map((detail) => [detail.fingerprint, detail]));

function stepText(step) {
  const apart = step.slot === "" || step.slot.startsWith(".") || step.slot.startsWith("[") ? "" : " ";
  return step.label + apart + step.slot;
}

/** The text with its middle left out where it is longer than `most` characters. */
function fitted(text, most) {
  const characters = [...text];
  if (characters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return characters.slice(0, head).join("") + "…" + characters.slice(characters.length - (most - 1 - head)).join("");
}

/** The members from top to bottom, and the reference that leads back on the left. */
function graph(steps, cuts) {
  const [left, width, box, row] = [40, 316, 30, 66];
  const top = (at) => 6 + at * row;
  const last = steps.length - 1;
  const height = top(last) + box + 34;
  const drawing = svg("svg", { viewBox: `0 0 360 ${height}`, role: "img" });
  drawing.append(svg("title", {}, steps.map(stepText).join(" → ") + " → " + steps[0].label));
  const arrow = (x, y, points) =>
    svg("polygon", { class: "head", points: points.map(([dx, dy]) => `${x + dx},${y + dy}`).join(" ") });
  steps.forEach((step, at) => {
    const y = top(at);
    const label = svg("text", { x: left + 10, y: y + 20 }, fitted(step.label, 42));
    drawing.append(
      svg("g", {}, svg("title", {}, step.type), svg("rect", { x: left, y, width, height: box, rx: 5 }), label),
    );
    const isCut = cuts.has(stepText(step));
    const slot = (isCut ? "✂ " : "") + (step.slot.trim() || "(unnamed)");
    const edge = svg("g", isCut ? { class: "gone" } : {});
    if (at < last) {
      edge.append(svg("path", { class: "edge", d: `M${left + 22},${y + box} V${top(at + 1) - 7}` }));
      edge.append(
        arrow(left + 22, top(at + 1), [
          [-5, -9],
          [5, -9],
          [0, 0],
        ]),
      );
      edge.append(svg("text", { class: "slot", x: left + 36, y: y + box + 22 }, fitted(slot, 38)));
    } else {
      const [from, to] = [y + box - 8, top(0) + 10];
      edge.append(svg("path", { class: "edge", d: `M${left},${from} C4,${from} 4,${to} ${left - 8},${to}` }));
      edge.append(
        arrow(left, to, [
          [-9, -5],
          [-9, 5],
          [0, 0],
        ]),
      );
      edge.append(
        svg("text", { class: "slot", x: left + 10, y: y + box + 22 }, fitted(`${slot} ↩ ${steps[0].label}`, 42)),
      );
    }
    drawing.append(edge);
  });
  return element("div", "graph", drawing);
}

/** Types of a loop's objects, most first. */
function typesOf(objects) {
  const most = Object.entries(objects).sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
  const items = most.slice(0, 6).map(([type, n]) => element("li", "", `${count(n)} × `, name(type)));
  if (most.length > 6) items.push(element("li", "soft", `and ${counted(most.length - 6, "more type", "more types")}`));
  return element("ul", "", ...items);
}

function stackOf(number) {
  const frames = report.stacks[number].map((frame) => report.frames[frame]);
  const items = frames.map((frame) => element("li", "", name(frame)));
  const stack = element("div", "", element("ol", "", ...items.slice(0, 6)));
  if (items.length > 6) {
    const rest = element("ol", "", ...items.slice(6));
    rest.start = 7;
    stack.append(
      element(
        "details",
        "",
        element("summary", "soft", `${counted(items.length - 6, "more frame", "more frames")}`),
        rest,
      ),
    );
  }
  return stack;
}

function cutLine(word, cut) {
  const instead = cut.replacement ? [", and have in its place ", name(cut.replacement)] : [];
  return element("p", "cut", `${word} `, name(cut.reference), ...instead);
}

function remedy({ cut, after, refuted, pattern, advice }) {
  const made = element("div", "");
  if (cut) {
    made.append(element("h3", "", "What to cut"), cutLine("Cut", cut));
    cut.alternatives.forEach((other) => made.append(cutLine("or", other)));
    cut.more.forEach((other) => made.append(cutLine("and cut", other)));
    if (cut.evidence) made.append(element("p", "", "Why this one: ", cut.evidence));
    if (after) made.append(element("p", "soft", after));
  }
  refuted.forEach((sentence) => made.append(element("p", "soft", sentence)));
  if (pattern) made.append(element("h3", "", "Pattern"), element("p", "", pattern, advice ? `: ${advice}` : ""));
  return made;
}

function whenSeen(detail) {
  const [first, last] = [moment(detail.first_seen), moment(detail.last_seen)];
  const seen = first === last ? `seen at ${first}` : `first seen at ${first}, last at ${last}`;
  const made = element("div", "", element("h3", "", "When"), element("p", "", seen));
  if (detail.orphaned) {
    const [after, until] = detail.orphaned;
    let when = `between ${moment(after)} and ${moment(until)}`;
    if (after.event === until.event) when = `at ${moment(after)}`;
    else if (after.event === 0) when = `before ${moment(until)}`;
    made.append(element("p", "", `lost its last outside reference ${when}`));
  }
  const marks = Object.entries(detail.marks);
  if (marks.length) {
    const shown = marks.slice(0, 8).map(([mark, n]) => element("li", "", name(mark), ` (${count(n)})`));
    if (marks.length > 8) shown.push(element("li", "soft", `and ${count(marks.length - 8)} more`));
    made.append(element("h3", "", "In"), element("ul", "", ...shown));
  }
  return made;
}

function inside(loop) {
  const detail = details.get(loop.fingerprint);
  if (!detail) {
    return element(
      "p",
      "inside soft",
      "This page has no room for the details of this loop: refloop loops --format json has them.",
    );
  }
  const cuts = new Set(detail.cut ? [detail.cut.reference, ...detail.cut.more.map((cut) => cut.reference)] : []);
  const facts = element("div", "what", remedy(detail));
  if (detail.stack !== null) {
    facts.append(element("h3", "", "Made at"), stackOf(detail.stack));
    if (detail.other_sites > 0)
      facts.append(element("p", "soft", `and at ${counted(detail.other_sites, "other place", "other places")}`));
  }
  if (detail.made_before) facts.append(element("p", "soft", `made ${detail.made_before}`));
  if (detail.alive) facts.append(element("p", "soft", `alive ${detail.alive}`));
  const objects = element("div", "", element("h3", "", "Objects of one loop"), typesOf(detail.members));
  for (const [base, subclasses] of Object.entries(detail.subclasses)) {
    const shown = subclasses.slice(0, 6).flatMap((subclass, at) => [at ? ", " : "", name(subclass)]);
    const more = subclasses.length > 6 ? ` and ${count(subclasses.length - 6)} more` : "";
    objects.append(
      element("p", "soft", name(base), ` in ${counted(subclasses.length, "class", "classes")}: `, ...shown, more),
    );
  }
  if (detail.held_objects > 0) {
    objects.append(
      element("h3", "", `What only they keep alive, ${size(detail.held_bytes)} in all`),
      typesOf(detail.held),
    );
  }
  objects.append(
    whenSeen(detail),
    element("h3", "", "Fingerprint"),
    element("p", "", element("code", "", loop.fingerprint)),
  );
  const drawing = element("div", "", element("h3", "", "The loop"), graph(detail.steps, cuts));
  return element("div", "inside", drawing, facts, objects);
}

function loopCard(loop) {
  const isAll = loop.peak_bytes === null || loop.peak_bytes === loop.total_bytes;
  const atOneTime = () => `${loop.peak_is_exact ? "" : "at least "}${bytes(loop.peak_bytes)} at one time`;
  const weight = element("b", "", isAll ? size(loop.total_bytes) : atOneTime());
  const facts = element("div", "facts", weight, counted(loop.count, "loop", "loops"));
  const fact = (text, className) => facts.append(element("span", className || "", text));
  if (!isAll) fact(`${size(loop.total_bytes)} in all`);
  if (loop.standing) fact(loop.standing, `badge ${loop.standing}`);
  if (loop.collected > 0)
    fact(
      loop.collected === loop.count
        ? "freed later by the collector"
        : `${count(loop.collected)} freed later by the collector`,
    );
  if (loop.place) facts.append(element("span", "", "made at ", name(loop.place)));
  fact(loop.owner);
  const card = element("details", "loop", element("summary", "", name(loop.path), facts));
  card.addEventListener("toggle", () => {
    if (card.open && card.children.length === 1) card.append(inside(loop));
  });
  return card;
}

function loopsSection() {
  const rows = rowsOf(report.loops);
  if (!rows.length) return null;
  const cards = element("div");
  const orders = {
    "the application's first, most bytes": null,
    "most bytes at one time": by((row) => row.peak_bytes, true),
    "most bytes in all": by((row) => row.total_bytes, true),
    "most loops": by((row) => row.count, true),
    "most objects": by((row) => row.objects, true),
    "first seen": by((row) => row.first_seen, false),
    name: by((row) => row.path, false),
  };
  const all = list({
    rows,
    words: (row) => [row.path, row.owner, row.place || "", row.fingerprint, row.standing || ""],
    draw: loopCard,
    into: cards,
    what: "kinds of loops",
    note: leftOut(report.loops, report.omitted.loops, "kinds of loops"),
  });
  const select = element("select", "", ...Object.keys(orders).map((text) => element("option", "", text)));
  select.addEventListener("change", () => all.sort(orders[select.value]));
  all.update();
  cards.firstElementChild.open = true;
  const tools = element("div", "tools", element("label", "", "Sorted by ", select));
  return section(
    "loops",
    "Reference loops",
    "Loops with the same path are one kind. Open one to see its objects, where they were made, and which reference to cut.",
    tools,
    cards,
    all.footer,
  );
}
