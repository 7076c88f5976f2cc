"use strict";

// Shows the report that stands in this page as JSON. Every text of it becomes a text node and nothing else; every number
// is one of the report's. Long lists are drawn in parts, so that a page of 10,000 loops opens as fast as one of ten.

(() => {
  const report = JSON.parse(document.getElementById("report").textContent);

  /** Rows that are drawn at first, and with each wish for more. */
  const FIRST_ROWS = 25;
  const MORE_ROWS = 100;

  // ---- Elements ----

  /** An element with a class; children that are texts become text nodes. */
  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  }

  /** A name of the program, whatever characters it has. */
  const name = (text) => element("bdi", "name", text);

  function svg(tag, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    made.append(...children);
    return made;
  }

  function button(text, action) {
    const made = element("button", "", text);
    made.type = "button";
    made.addEventListener("click", () => action(made));
    return made;
  }

  function say(text) {
    document.getElementById("status").textContent = text;
  }

  // ---- Numbers for people, as on refloop's other pages ----

  const count = (n) => n.toLocaleString("en-US");
  const counted = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

  function bytes(n) {
    if (n === null || n === undefined) return "not known";
    const units = ["B", "KB", "MB", "GB", "TB", "PB"];
    let value = Math.abs(n);
    let unit = 0;
    while (value >= 999.95 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    const sign = n < 0 ? "-" : "";
    return `${sign}${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
  }

  function duration(ns) {
    if (ns < 1e3) return `${ns} ns`;
    if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
    return ns < 1e9 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(2)} s`;
  }

  function moment(at) {
    const event = `event ${count(at.event)}`;
    return at.ns === null ? event : `${duration(at.ns)} (${event})`;
  }

  // ---- Tables of the report ----

  /** The rows of a table as objects. */
  function rowsOf(table) {
    return table.rows.map((row) => Object.fromEntries(table.fields.map((field, at) => [field, row[at]])));
  }

  const sentences = (table) => rowsOf(table).map((row) => row.text);

  /** What is left out of a table: by the page for want of room, and by `--top`. */
  function leftOut(table, omitted, what) {
    const notes = [];
    if (table.left_out > 0) notes.push(`${count(table.left_out)} more ${what} have no room in this page.`);
    if (omitted > 0) notes.push(`${count(omitted)} more ${what} were left out by --top.`);
    return notes.join(" ");
  }

  // ---- Lists that are searched, sorted, and drawn in parts ----

  const searched = [];

  /**
   * A list of rows. `words` gives the texts that a search looks at, `draw` the element of a row, `into` takes them.
   */
  function list({ rows, words, draw, into, what, note }) {
    const footer = element("p", "more");
    const texts = new Map();
    const drawn = new Map();
    let wanted = [];
    let order = null;
    let shown = FIRST_ROWS;

    const text = (row) => {
      if (!texts.has(row)) texts.set(row, words(row).join("\n").toLowerCase());
      return texts.get(row);
    };
    const elementOf = (row) => {
      if (!drawn.has(row)) drawn.set(row, draw(row));
      return drawn.get(row);
    };

    function update() {
      const found = wanted.length ? rows.filter((row) => wanted.every((word) => text(row).includes(word))) : [...rows];
      if (order) found.sort(order);
      into.replaceChildren(...found.slice(0, shown).map(elementOf));
      const more = found.length - shown;
      const parts = [];
      if (wanted.length) parts.push(`${count(found.length)} of ${count(rows.length)} ${what} match.`);
      if (more > 0) parts.push(`${count(shown)} of ${count(found.length)} ${what} are shown.`);
      const next = Math.min(more, MORE_ROWS);
      const button_ = more > 0 ? button(`Show ${count(next)} more`, () => showMore(next)) : null;
      footer.replaceChildren(...[parts.join(" "), button_, note].filter((part) => part));
      return found.length;
    }

    function showMore(next) {
      const first = shown;
      shown += next;
      update();
      const focus = into.children[first];
      if (focus) (focus.querySelector("summary, a, button") || footer.querySelector("button") || footer).focus?.();
    }

    searched.push((words_) => {
      wanted = words_;
      shown = FIRST_ROWS;
      return update();
    });
    return {
      footer,
      update,
      sort(by) {
        order = by;
        shown = FIRST_ROWS;
        update();
      },
    };
  }

  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);

  /** Sorts by a value of the rows; what is not known comes last. */
  function by(value, descending) {
    return (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return descending ? compare(y, x) : compare(x, y);
    };
  }

  /**
   * A table whose columns are `{ title, value, show, number, wide }`: `value` is sorted by, `show` is what a cell holds.
   */
  function table({ rows, columns, words, what, note, caption }) {
    const body = element("tbody");
    const cell = (row) => (column) => {
      const kind = [column.number ? "number" : "", column.wide ? "wide" : ""].join(" ").trim();
      const shown = column.show ? column.show(row) : column.value(row);
      const made = element("td", kind, typeof shown === "number" ? count(shown) : shown);
      made.dataset.title = column.title;
      return made;
    };
    const rowOf = (row) => element("tr", "", ...columns.map(cell(row)));
    const all = list({ rows, words, draw: rowOf, into: body, what, note });
    const heads = columns.map((column) => {
      const sort = button(column.title, () => {
        const descending = column.number ? head.ariaSort !== "descending" : head.ariaSort === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.ariaSort = descending ? "descending" : "ascending";
        all.sort(by(column.value, descending));
        say(`Sorted by ${column.title}, ${head.ariaSort}.`);
      });
      const head = element("th", column.number ? "number" : "", sort);
      head.scope = "col";
      return head;
    });
    all.update();
    const whole = element("table", "", element("caption", "unseen", caption), element("thead", "", element("tr", "", ...heads)), body);
    return element("div", "", element("div", "scroll", whole), all.footer);
  }

  // ---- Code to paste ----

  function paste(code) {
    const block = element("pre", "", element("code", "", code));
    const copy = button("Copy", async (pressed) => {
      try {
        await navigator.clipboard.writeText(code);
        pressed.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block);
        pressed.textContent = "Selected";
      }
      say(pressed.textContent);
      setTimeout(() => (pressed.textContent = "Copy"), 2000);
    });
    return element("div", "paste", block, copy);
  }

  // ---- Loops ----

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
    const arrow = (x, y, points) => svg("polygon", { class: "head", points: points.map(([dx, dy]) => `${x + dx},${y + dy}`).join(" ") });
    steps.forEach((step, at) => {
      const y = top(at);
      const label = svg("text", { x: left + 10, y: y + 20 }, fitted(step.label, 42));
      drawing.append(svg("g", {}, svg("title", {}, step.type), svg("rect", { x: left, y, width, height: box, rx: 5 }), label));
      const isCut = cuts.has(stepText(step));
      const slot = (isCut ? "✂ " : "") + (step.slot.trim() || "(unnamed)");
      const edge = svg("g", isCut ? { class: "gone" } : {});
      if (at < last) {
        edge.append(svg("path", { class: "edge", d: `M${left + 22},${y + box} V${top(at + 1) - 7}` }));
        edge.append(arrow(left + 22, top(at + 1), [[-5, -9], [5, -9], [0, 0]]));
        edge.append(svg("text", { class: "slot", x: left + 36, y: y + box + 22 }, fitted(slot, 38)));
      } else {
        const [from, to] = [y + box - 8, top(0) + 10];
        edge.append(svg("path", { class: "edge", d: `M${left},${from} C4,${from} 4,${to} ${left - 8},${to}` }));
        edge.append(arrow(left, to, [[-9, -5], [-9, 5], [0, 0]]));
        edge.append(svg("text", { class: "slot", x: left + 10, y: y + box + 22 }, fitted(`${slot} ↩ ${steps[0].label}`, 42)));
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
      stack.append(element("details", "", element("summary", "soft", `${counted(items.length - 6, "more frame", "more frames")}`), rest));
    }
    return stack;
  }

  function cutLine(word, cut) {
    const instead = cut.replacement ? [", and have in its place ", name(cut.replacement)] : [];
    return element("p", "cut", `${word} `, name(cut.reference), ...instead);
  }

  function remedy({ cut, after, pattern, advice }) {
    const made = element("div", "");
    if (cut) {
      made.append(element("h3", "", "What to cut"), cutLine("Cut", cut));
      cut.alternatives.forEach((other) => made.append(cutLine("or", other)));
      cut.more.forEach((other) => made.append(cutLine("and cut", other)));
      if (cut.evidence) made.append(element("p", "", "Why this one: ", cut.evidence));
      if (after) made.append(element("p", "soft", after));
    }
    if (pattern) made.append(element("h3", "", "Pattern"), element("p", "", pattern, advice ? `: ${advice}` : ""));
    return made;
  }

  function history(loop, detail) {
    const [first, last] = [moment(detail.first_seen), moment(detail.last_seen)];
    const seen = first === last ? `seen at ${first}` : `first seen at ${first}, last at ${last}`;
    const made = element("div", "", element("h3", "", "When"), element("p", "", seen));
    if (detail.orphaned) {
      const [after, until] = detail.orphaned;
      const when = after.event === until.event ? `at ${moment(after)}` : `between ${moment(after)} and ${moment(until)}`;
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
      return element("p", "inside soft", "This page has no room for the details of this loop: refloop loops --format json has them.");
    }
    const cuts = new Set(detail.cut ? [detail.cut.reference, ...detail.cut.more.map((cut) => cut.reference)] : []);
    const facts = element("div", "what", remedy(detail));
    if (detail.stack !== null) {
      facts.append(element("h3", "", "Made at"), stackOf(detail.stack));
      if (detail.other_sites > 0) facts.append(element("p", "soft", `and at ${counted(detail.other_sites, "other place", "other places")}`));
    }
    const objects = element("div", "", element("h3", "", "Objects of one loop"), typesOf(detail.members));
    if (detail.held_objects > 0) {
      objects.append(element("h3", "", `What only they keep alive (${bytes(detail.held_bytes)} in all)`), typesOf(detail.held));
    }
    objects.append(history(loop, detail), element("h3", "", "Fingerprint"), element("p", "", element("code", "", loop.fingerprint)));
    const drawing = element("div", "", element("h3", "", "The loop"), graph(detail.steps, cuts));
    return element("div", "inside", drawing, facts, objects);
  }

  function loopCard(loop) {
    const facts = element("div", "facts", element("b", "", bytes(loop.total_bytes)), counted(loop.count, "loop", "loops"));
    const fact = (text, className) => facts.append(element("span", className || "", text));
    if (loop.standing) fact(loop.standing, `badge ${loop.standing}`);
    if (loop.collected > 0) fact(loop.collected === loop.count ? "freed later by the collector" : `${count(loop.collected)} freed later by the collector`);
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
      "most bytes": by((row) => row.total_bytes, true),
      "most loops": by((row) => row.count, true),
      "most objects": by((row) => row.objects, true),
      "first seen": by((row) => row.first_seen, false),
      "name": by((row) => row.path, false),
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
    return section("loops", "Reference loops", "Loops with the same path are one kind. Open one to see its objects, where they were made, and which reference to cut.", tools, cards, all.footer);
  }

  // ---- The other parts ----

  function section(id, title, lead, ...children) {
    const heading = element("h2", "", title);
    const made = element("section", "", heading, lead ? element("p", "soft", lead) : null, ...children);
    made.id = id;
    made.title_ = title;
    return made;
  }

  function findingsSection() {
    const rows = rowsOf(report.findings);
    if (!rows.length) return null;
    const columns = [
      { title: "Severity", value: (row) => row.severity, show: (row) => element("span", `badge ${row.standing || row.severity}`, row.standing || row.severity) },
      { title: "Rule", value: (row) => row.rule },
      { title: "What", value: (row) => row.subject, show: (row) => element("span", "", name(row.subject), element("br"), row.message, row.advice ? element("p", "soft", row.advice) : null), wide: true },
      { title: "Where", value: (row) => row.place, show: (row) => (row.place ? name(row.place) : "") },
      { title: "Owner", value: (row) => row.owner },
    ];
    const words = (row) => [row.rule, row.subject, row.message, row.place || "", row.owner];
    return section("findings", "Other findings", "What else the rules say; refloop explain RULE has a page on each.", table({ rows, columns, words, what: "findings", note: leftOut(report.findings, 0, "findings"), caption: "Findings beside loops" }));
  }

  function growthSection() {
    const { looks, known, more } = report.growth;
    const title = "What grows";
    if (!known) {
      if (!rowsOf(report.inputs).some((input) => input.references === "checkpoints")) return null;
      return section("growth", title, `Not known: it takes three looks at the whole heap, and there were ${count(looks)} (record --every).`);
    }
    const containers = rowsOf(report.containers);
    const types = rowsOf(report.growing_types);
    if (!containers.length && !types.length) return section("growth", title, `Nothing grew at every one of ${count(looks)} looks at the heap.`);
    const rate = { title: "A second", value: (row) => row.per_second, show: (row) => (row.per_second === null ? "not known" : count(row.per_second)), number: true };
    const parts = [];
    if (containers.length) {
      const columns = [
        { title: "Container", value: (row) => row.path, show: (row) => element("span", "", name(row.path), row.emptied ? " (emptied at the end)" : ""), wide: true },
        { title: "Type", value: (row) => row.type, show: (row) => name(row.type) },
        { title: "From", value: (row) => row.from, number: true },
        { title: "To", value: (row) => row.to, number: true },
        rate,
        { title: "Mostly", value: (row) => row.element, show: (row) => name(row.element) },
        { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
        { title: "Newest made at", value: (row) => row.place, show: (row) => (row.place ? name(row.place) : "not known") },
      ];
      const words = (row) => [row.path, row.type, row.element, row.place || ""];
      parts.push(table({ rows: containers, columns, words, what: "containers", note: more > 0 ? `${count(more)} more containers grew.` : "", caption: "Containers that grew" }));
    }
    if (types.length) {
      const columns = [
        { title: "Type", value: (row) => row.type, show: (row) => name(row.type), wide: true },
        { title: "From", value: (row) => row.from, number: true },
        { title: "To", value: (row) => row.to, number: true },
        rate,
      ];
      parts.push(element("h3", "", "Types with more objects at each look"));
      parts.push(table({ rows: types, columns, words: (row) => [row.type], what: "types", note: leftOut(report.growing_types, 0, "types"), caption: "Types that grew" }));
    }
    return section("growth", title, `Containers and types that grew at every one of ${count(looks)} looks at the heap. They are alive, so no collector frees them.`, ...parts);
  }

  function typesSection() {
    const rows = rowsOf(report.types);
    const notes = sentences(report.types_notes);
    if (!rows.length && !notes.length) return null;
    const columns = [
      { title: report.by_module ? "Module" : "Type", value: (row) => row.type, show: (row) => name(row.type), wide: true },
      { title: "Alive", value: (row) => row.instances, number: true },
      { title: "Peak", value: (row) => row.peak_instances, number: true },
      { title: "Ever", value: (row) => row.ever_instances, number: true },
      { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
      { title: "Each", value: (row) => row.bytes_per_instance, show: (row) => bytes(row.bytes_per_instance), number: true },
      { title: "Share", value: (row) => row.share, show: (row) => `${row.share.toFixed(1)} %`, number: true },
    ];
    const note = leftOut(report.types, report.omitted.types, "types");
    const shown = rows.length ? table({ rows, columns, words: (row) => [row.type, row.module], what: "types", note, caption: "Types" }) : null;
    return section("types", "Types", "What was alive when the whole heap was last looked at, with the storage that each object alone owns.", shown, ...notes.map((text) => element("p", "soft", text)));
  }

  function slotsSection() {
    const rows = rowsOf(report.slots);
    const notes = sentences(report.slots_notes);
    if (!rows.length && !notes.length) return null;
    const columns = [
      { title: "Class", value: (row) => row.type, show: slotsCell, wide: true },
      { title: "Verdict", value: (row) => row.verdict },
      { title: "Alive", value: (row) => row.instances, number: true },
      { title: "Each", value: (row) => row.used_per_instance, show: (row) => bytes(row.used_per_instance), number: true },
      { title: "Slotted", value: (row) => row.slotted_used_per_instance, show: (row) => bytes(row.slotted_used_per_instance), number: true },
      { title: "Saves", value: (row) => row.saved_bytes, show: (row) => bytes(row.saved_bytes), number: true },
      { title: "At peak", value: (row) => row.saved_bytes_at_peak, show: (row) => bytes(row.saved_bytes_at_peak), number: true },
      { title: "Owner", value: (row) => row.owner },
    ];
    if (report.slots_not_understood > 0) notes.push(`Nothing is said of ${counted(report.slots_not_understood, "class", "classes")} whose sizes are not those of the known layout.`);
    const words = (row) => [row.type, row.place || "", row.verdict, row.owner];
    const note = leftOut(report.slots, report.omitted.slots, "classes");
    const shown = rows.length ? table({ rows, columns, words, what: "classes", note, caption: "Classes that slots would change" }) : null;
    return section("slots", "Slots", "A class with __slots__ keeps its attributes in the object itself, without a dict. These are estimates of what that would save.", shown, ...notes.map((text) => element("p", "soft", text)));
  }

  function slotsCell(row) {
    const made = element("div", "", name(row.type), row.place ? element("div", "soft", name(row.place)) : null);
    const why = [...row.blockers, ...row.notes].map((text) => element("li", "", text));
    if (row.suggestion || why.length) {
      const more = element("details", "", element("summary", "", row.suggestion ? "what to write" : "why not"));
      if (why.length) more.append(element("ul", "", ...why));
      if (row.suggestion) more.append(paste(row.suggestion));
      made.append(more);
    }
    return made;
  }

  function traceSection() {
    const parts = [];
    const inputs = rowsOf(report.inputs);
    const columns = [
      { title: "Trace", value: (row) => row.path, show: (row) => name(row.path), wide: true },
      { title: "Recorded by", value: (row) => row.runtime },
      { title: "Events", value: (row) => row.events, number: true },
      { title: "Looks for garbage", value: (row) => row.snapshots, number: true },
      { title: "Ending", value: (row) => row.ending },
      { title: "Garbage known", value: (row) => row.known },
    ];
    if (inputs.length) parts.push(table({ rows: inputs, columns, words: (row) => [row.path, row.runtime], what: "traces", note: leftOut(report.inputs, 0, "traces"), caption: "Traces" }));
    const byType = (title, rows, lead) => {
      if (!rows.length) return;
      const columns = [
        { title: "Type", value: (row) => row.type, show: (row) => name(row.type), wide: true },
        { title: "Objects", value: (row) => row.objects, number: true },
        { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
      ];
      parts.push(element("h3", "", title), element("p", "soft", lead), table({ rows, columns, words: (row) => [row.type], what: "types", caption: title }));
    };
    byType("Lost references", rowsOf(report.lost), "Objects with a count that no reference explains.");
    byType("Unreachable, says the log", rowsOf(report.unreachable), "What the program's own collector found unreachable.");
    const anomalies = rowsOf(report.anomalies);
    if (anomalies.length) {
      const columns = [
        { title: "Anomaly", value: (row) => row.meaning, wide: true },
        { title: "Count", value: (row) => row.count, number: true },
        { title: "Examples", value: (row) => row.examples.join("; "), show: (row) => element("span", "", ...row.examples.map((text) => element("div", "", name(text)))), wide: true },
      ];
      parts.push(element("h3", "", "Anomalies of the trace"), table({ rows: anomalies, columns, words: (row) => [row.meaning], what: "anomalies", caption: "Anomalies" }));
    }
    return parts.length ? section("trace", "The trace", "What this page was made from.", ...parts) : null;
  }

  // ---- The first screen ----

  function headline() {
    const loops = report.summary.cyclic_garbage;
    if (loops.loops > 0) {
      const size = loops.bytes === null ? "" : `, ${bytes(loops.bytes)} in all,`;
      return `${counted(loops.loops, "reference loop", "reference loops")} of ${counted(loops.kinds, "kind", "kinds")}${size} that the reference count cannot free`;
    }
    if (report.unreachable.rows.length) return "Garbage that the log names, whose loops are not known";
    return report.not_checked ? "Nothing was checked" : "No reference loops found";
  }

  function verdict() {
    if (!report.gate) return null;
    if (report.gate.failed) return element("span", "verdict failed", "Check failed");
    return report.not_checked ? element("span", "verdict", "Not checked") : element("span", "verdict passed", "Check passed");
  }

  function tile(href, number, text) {
    const made = element(href && document.querySelector(href) ? "a" : "div", "tile", element("b", "", number), element("span", "", text));
    if (made.tagName === "A") made.href = href;
    return made;
  }

  function tiles() {
    const { summary, growth } = report;
    const loops = summary.cyclic_garbage;
    const made = [];
    for (const [owner, n] of Object.entries(loops.by_owner)) made.push(tile("#loops", count(n), `${n === 1 ? "loop" : "loops"} of ${owner.startsWith("package ") ? owner : `the ${owner}`}`));
    if (loops.collected_loops > 0) made.push(tile("#loops", count(loops.collected_loops), "of them freed later by the collector"));
    if (summary.live_known) made.push(tile("#types", bytes(summary.live_bytes), `in ${counted(summary.live_objects, "object", "objects")} alive at the end`));
    const grown = growth.more + report.containers.rows.length;
    if (growth.known && grown > 0) made.push(tile("#growth", count(grown), grown === 1 ? "container grew at every look" : "containers grew at every look"));
    const { slots } = report;
    if (slots.rows.length) made.push(tile("#slots", count(slots.rows.length + slots.left_out + report.omitted.slots), "classes looked at for __slots__"));
    return element("div", "tiles", ...made);
  }

  function firstStep() {
    const loop = rowsOf(report.loops).find((row) => (row.standing ? row.standing === "fails" : row.owner === "application"));
    const cut = loop && details.get(loop.fingerprint)?.cut;
    if (!cut) return null;
    const link = element("a", "", "the first loop below");
    link.href = "#loops";
    const made = loop.place ? ["; the loop is made at ", name(loop.place)] : [];
    return element("p", "first", "First thing to do: cut ", name(cut.reference), ", and have in its place ", name(cut.replacement), ...made, ". The reasons are with ", link, ".");
  }

  function overview() {
    const made = element("section", "", element("h1", "", headline()));
    made.id = "overview";
    const inputs = rowsOf(report.inputs);
    const of = inputs.slice(0, 3).flatMap((input, at) => [at ? ", " : "", name(input.path), ` (${input.runtime})`]);
    if (inputs.length > 3) of.push(` and ${count(inputs.length - 3)} more traces`);
    made.append(element("p", "soft", verdict(), verdict() ? " " : "", ...of));
    sentences(report.gaps).forEach((text) => made.append(element("p", "note", text)));
    report.gate?.exceeded.forEach((text) => made.append(element("p", "note", text)));
    if (report.summary.cyclic_garbage.loops > 0) {
      made.append(element("p", "", "In a reference loop, objects refer to each other in a circle. CPython frees an object as soon as nothing refers to it; in a loop something always does, so all of it stays until the garbage collector comes by, and for good where that is switched off. One reference less, and it is freed at once: below is which one."));
      if (!report.summary.cyclic_garbage.by_owner.application) made.append(element("p", "", "None of these loops is the application's."));
    }
    const first = firstStep();
    if (first) made.append(first);
    made.append(tiles());
    return made;
  }

  // ---- The page ----

  const main = document.getElementById("main");
  const search = document.getElementById("search");

  const sections = [loopsSection(), findingsSection(), growthSection(), slotsSection(), typesSection(), traceSection()].filter((part) => part);
  main.append(...sections);
  main.prepend(overview());
  const links = sections.map((part) => {
    const link = element("a", "", part.title_);
    link.href = `#${part.id}`;
    return link;
  });
  document.getElementById("nav").append(...links);
  main.append(element("p", "soft", `Written by refloop ${report.version}. The / key searches, Esc ends the search. Nothing in this page is loaded from elsewhere.`));

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(searchNow, 120);
  });

  function searchNow() {
    const words = search.value.toLowerCase().split(/\s+/).filter((word) => word);
    const found = searched.map((look) => look(words)).reduce((sum, n) => sum + n, 0);
    say(words.length ? `${counted(found, "row matches", "rows match")}.` : "");
  }

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      searchNow();
      search.blur();
    }
  });

  addEventListener("beforeprint", () => document.querySelectorAll(".loop").forEach((card) => (card.open = true)));
})();
