// Draws who keeps how much alive: a box for each group of objects, below what keeps it alive.

/** A box for each group of objects, as wide as the bytes that would go with it, below what keeps it alive. */
function icicle(retained) {
  const groups = rowsOf(retained.groups);
  groups.forEach((group) => (group.below = []));
  const top = {
    name: "all that is alive",
    type: "",
    objects: retained.objects,
    bytes: retained.bytes,
    below: [],
    above: null,
  };
  groups.forEach((group) => {
    const above = group.above === null ? top : groups[group.above];
    group.up = above;
    above.below.push(group);
  });
  [top, ...groups].forEach((group) => group.below.sort((a, b) => b.bytes - a.bytes));

  const place = element("div", "icicle");
  const reading = element("p", "reading", "");
  let shown = top;
  let chosen = top;
  let boxes = new Map();
  const row = 26;
  const least = 3;

  const title = (group) => [group.name, group.type].filter((text) => text).join(" ");

  function read(group) {
    chosen = group;
    const path = [];
    for (let at = group; at; at = at.up) path.unshift(title(at));
    reading.replaceChildren(
      name(path.join(" › ")),
      ` keeps ${bytes(group.bytes)} alive`,
      group === top ? "" : ` in ${counted(group.objects, "object", "objects")} and what goes with them`,
    );
  }

  function draw(width) {
    boxes = new Map();
    const drawing = svg("svg", { width, role: "group", "aria-label": "Retained size" });
    let depth = 0;
    /** Boxes to draw: the group, its left edge, its level. */
    const open = [[shown, 0, 0]];
    while (open.length) {
      const [group, x, level] = open.pop();
      const size = (width * group.bytes) / Math.max(1, shown.bytes);
      if (size < least) continue;
      depth = Math.max(depth, level);
      const box = svg("g", { tabindex: group === chosen ? 0 : -1, role: "button", class: `box level${level % 4}` });
      box.append(svg("title", {}, `${title(group)}: ${bytes(group.bytes)}`));
      box.append(svg("rect", { x, y: level * row, width: Math.max(1, size - 1), height: row - 1, rx: 2 }));
      const label = fitted(`${title(group)} ${bytes(group.bytes)}`, Math.floor((size - 8) / 7.3));
      if (size > 40) box.append(tag(label, x + 5, level * row + 17));
      box.addEventListener("click", () => enter(group));
      box.addEventListener("focus", () => read(group));
      box.addEventListener("pointerenter", () => read(group));
      boxes.set(group, box);
      drawing.append(box);
      let left = x;
      for (const below of group.below) {
        open.push([below, left, level + 1]);
        left += (width * below.bytes) / Math.max(1, shown.bytes);
      }
    }
    const height = (depth + 1) * row;
    drawing.setAttribute("height", height);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    place.replaceChildren(drawing);

    function focus(group) {
      if (!group || !boxes.has(group)) return;
      boxes.get(chosen)?.setAttribute("tabindex", -1);
      boxes.get(group).setAttribute("tabindex", 0);
      boxes.get(group).focus();
    }
    function enter(group) {
      shown = group === shown && group.up ? group.up : group;
      read(group);
      draw(width);
      boxes.get(group)?.focus();
    }
    drawing.addEventListener("keydown", (event) => {
      const beside = (step) => chosen.up?.below[chosen.up.below.indexOf(chosen) + step];
      const next = { ArrowUp: chosen.up, ArrowDown: chosen.below[0], ArrowLeft: beside(-1), ArrowRight: beside(1) };
      if (event.key in next) {
        event.preventDefault();
        focus(next[event.key]);
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        enter(chosen);
      }
    });
  }

  read(top);
  const out =
    retained.left_out > 0 ? ` ${counted(retained.left_out, "smaller group is", "smaller groups are")} left out.` : "";
  const how = element(
    "p",
    "soft",
    `A click, or Enter, makes a box as wide as the page; a second one goes back. Arrow keys go from box to box. What stands below no box is its own bytes, or boxes too narrow to draw.${out}`,
  );
  return element("div", "", reading, pictureIn(place, draw), how);
}

function retainedSection() {
  if (!report.retained.length) return null;
  const of = (retained) =>
    element("div", "", report.retained.length > 1 ? element("h3", "", name(retained.trace)) : null, icicle(retained));
  const more = report.retained_left_out;
  const note =
    more > 0
      ? element("p", "soft", `${counted(more, "more trace has", "more traces have")} no room in this page.`)
      : null;
  return section(
    "retained",
    "Who keeps how much alive",
    "Each box is as wide as the bytes that would go if its objects went, and stands below the objects that alone keep it alive. Objects of one type that are held by the same name are one box; at the top are modules, variables, and what several hold together.",
    ...report.retained.map(of),
    note,
  );
}
