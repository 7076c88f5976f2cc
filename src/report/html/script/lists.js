// Shows rows as lists that are searched, sorted, and drawn in parts, so that 10,000 of them open as fast as ten.

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
  const whole = element(
    "table",
    "",
    element("caption", "unseen", caption),
    element("thead", "", element("tr", "", ...heads)),
    body,
  );
  return element("div", "", element("div", "scroll", whole), all.footer);
}

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
