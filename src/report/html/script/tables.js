// Shows the other parts of the report as tables.

function section(id, title, lead, ...children) {
  const heading = element("h2", "", title);
  const made = element("section", "", heading, element("p", "soft", lead), ...children);
  made.id = id;
  made.title_ = title;
  return made;
}

function findingsSection() {
  const rows = rowsOf(report.findings);
  if (!rows.length) return null;
  const columns = [
    {
      title: "Severity",
      value: (row) => row.severity,
      show: (row) => element("span", `badge ${row.standing || row.severity}`, row.standing || row.severity),
    },
    { title: "Rule", value: (row) => row.rule },
    {
      title: "What",
      value: (row) => row.subject,
      show: (row) =>
        element(
          "span",
          "",
          name(row.subject),
          element("br"),
          row.message,
          row.advice ? element("p", "soft", row.advice) : null,
        ),
      wide: true,
    },
    { title: "Where", value: (row) => row.place, show: (row) => (row.place ? name(row.place) : "") },
    { title: "Owner", value: (row) => row.owner },
  ];
  const words = (row) => [row.rule, row.subject, row.message, row.place || "", row.owner];
  return section(
    "findings",
    "Other findings",
    "What else the rules say; refloop explain has a page on each.",
    table({
      rows,
      columns,
      words,
      what: "findings",
      note: leftOut(report.findings, 0, "findings"),
      caption: "Findings beside loops",
    }),
  );
}

function growthSection() {
  const { looks, known, more } = report.growth;
  const title = "What grows";
  if (!known) {
    if (!rowsOf(report.inputs).some((input) => input.references === "checkpoints")) return null;
    return section(
      "growth",
      title,
      `Not known: it takes three looks at the whole heap, and there were ${count(looks)} (record --every).`,
    );
  }
  const containers = rowsOf(report.containers);
  const types = rowsOf(report.growing_types);
  if (!containers.length && !types.length)
    return section("growth", title, `Nothing kept growing over ${count(looks)} looks at the heap.`);
  /** References, or bytes of a buffer. */
  const amount = (row, n) => (row.unit === "bytes" ? bytes(n) : count(n));
  const rate = {
    title: "A second",
    value: (row) => row.per_second,
    show: (row) =>
      row.per_second === null
        ? "not known"
        : `${row.from_is_exact === false ? "at least " : ""}${amount(row, row.per_second)}`,
    number: true,
  };
  const parts = [];
  if (containers.length) {
    const columns = [
      {
        title: "Container",
        value: (row) => row.path,
        show: (row) => element("span", "", name(row.path), row.emptied ? " (emptied at the end)" : ""),
        wide: true,
      },
      {
        title: "Type",
        value: (row) => row.type,
        show: (row) => element("span", "", row.containers > 1 ? `${count(row.containers)} × ` : "", name(row.type)),
      },
      {
        title: "From",
        value: (row) => row.from,
        show: (row) => `${row.from_is_exact ? "" : "at most "}${amount(row, row.from)}`,
        number: true,
      },
      { title: "To", value: (row) => row.to, show: (row) => amount(row, row.to), number: true },
      rate,
      { title: "Mostly", value: (row) => row.element, show: (row) => name(row.element) },
      { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
      {
        title: "Newest made at",
        value: (row) => row.place,
        show: (row) =>
          row.place ? element("span", "", row.site_of_container ? `${row.type} itself: ` : "", name(row.place)) : "not known",
      },
    ];
    const words = (row) => [row.path, row.type, row.element, row.place || ""];
    parts.push(
      table({
        rows: containers,
        columns,
        words,
        what: "containers",
        note: more > 0 ? `${count(more)} more containers grew.` : "",
        caption: "Containers that grew",
      }),
    );
  }
  if (types.length) {
    const columns = [
      { title: "Type", value: (row) => row.type, show: (row) => name(row.type), wide: true },
      { title: "From", value: (row) => row.from, number: true },
      { title: "To", value: (row) => row.to, number: true },
      rate,
    ];
    parts.push(element("h3", "", "Types with more and more objects"));
    parts.push(
      table({
        rows: types,
        columns,
        words: (row) => [row.type],
        what: "types",
        note: leftOut(report.growing_types, 0, "types"),
        caption: "Types that grew",
      }),
    );
  }
  return section(
    "growth",
    title,
    `Containers and types that kept growing over ${count(looks)} looks at the heap. They are alive, so no collector frees them.`,
    ...parts,
  );
}

/** What has references that nobody is going to release. */
function suspectedLostSection() {
  const rows = rowsOf(report.suspected_lost);
  const title = "Lost references, suspected";
  if (report.lost_not_known) return section("suspected-lost", title, `Not known: ${report.lost_not_known}.`);
  if (!rows.length) return null;
  const columns = [
    { title: "Type", value: (row) => row.type, show: (row) => name(row.type), wide: true },
    { title: "Objects", value: (row) => row.objects, number: true },
    { title: "Evidence", value: (row) => row.evidence, show: (row) => row.evidence },
    { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
    { title: "Made at", value: (row) => row.place, show: (row) => name(row.place) },
  ];
  return section(
    "suspected-lost",
    title,
    "There are more and more of these objects, and nothing in the program's memory explains their counts: C code forgot a Py_DECREF.",
    table({ rows, columns, words: (row) => [row.type, row.place], what: "rows", note: leftOut(report.suspected_lost, 0, "rows"), caption: "Objects with references too many" }),
  );
}

/** What is never freed, and held by nothing that was recorded. */
function unheldSection() {
  const rows = rowsOf(report.unheld);
  if (!rows.length) return null;
  const columns = [
    { title: "Type", value: (row) => row.type, show: (row) => name(row.type), wide: true },
    { title: "Objects", value: (row) => row.objects, number: true },
    { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
    { title: "Made at", value: (row) => row.place, show: (row) => name(row.place) },
  ];
  return section(
    "unheld",
    "Never freed",
    "Nothing that was recorded holds these objects, and they were never freed: C code has them, or lost them.",
    table({ rows, columns, words: (row) => [row.type, row.place], what: "rows", note: leftOut(report.unheld, 0, "rows"), caption: "Objects that nothing holds" }),
  );
}

function typesSection() {
  const rows = rowsOf(report.types);
  const notes = sentences(report.types_notes);
  if (!rows.length && !notes.length) return null;
  const columns = [
    {
      title: report.by_module ? "Module" : "Type",
      value: (row) => row.type,
      show: (row) => name(row.type),
      wide: true,
    },
    { title: "Alive", value: (row) => row.instances, number: true },
    { title: "Peak", value: (row) => row.peak_instances, number: true },
    { title: "Ever", value: (row) => row.ever_instances, number: true },
    { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
    {
      title: "Each",
      value: (row) => row.bytes_per_instance,
      show: (row) => bytes(row.bytes_per_instance),
      number: true,
    },
    { title: "Share", value: (row) => row.share, show: (row) => `${row.share.toFixed(1)} %`, number: true },
  ];
  const note = leftOut(report.types, report.omitted.types, "types");
  const shown = rows.length
    ? table({ rows, columns, words: (row) => [row.type, row.module], what: "types", note, caption: "Types" })
    : null;
  return section(
    "types",
    "Types",
    "What was alive when the whole heap was last looked at, with the storage that each object alone owns.",
    shown,
    ...notes.map((text) => element("p", "soft", text)),
  );
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
    {
      title: "Slotted",
      value: (row) => row.slotted_used_per_instance,
      show: (row) => bytes(row.slotted_used_per_instance),
      number: true,
    },
    { title: "Saves", value: (row) => row.saved_bytes, show: (row) => bytes(row.saved_bytes), number: true },
    {
      title: "At peak",
      value: (row) => row.saved_bytes_at_peak,
      show: (row) => bytes(row.saved_bytes_at_peak),
      number: true,
    },
    { title: "Owner", value: (row) => row.owner },
  ];
  if (report.slots_not_understood > 0)
    notes.push(
      `Nothing is said of ${counted(report.slots_not_understood, "class", "classes")} whose sizes are not those of the known layout.`,
    );
  const words = (row) => [row.type, row.place || "", row.verdict, row.owner];
  const note = leftOut(report.slots, report.omitted.slots, "classes");
  const shown = rows.length
    ? table({ rows, columns, words, what: "classes", note, caption: "Classes that slots would change" })
    : null;
  return section(
    "slots",
    "Slots",
    "A class with __slots__ keeps its attributes in the object itself, without a dict. These are estimates of what that would save.",
    shown,
    ...notes.map((text) => element("p", "soft", text)),
  );
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
  if (inputs.length)
    parts.push(
      table({
        rows: inputs,
        columns,
        words: (row) => [row.path, row.runtime],
        what: "traces",
        note: leftOut(report.inputs, 0, "traces"),
        caption: "Traces",
      }),
    );
  const byType = (title, rows, lead) => {
    if (!rows.length) return;
    const columns = [
      { title: "Type", value: (row) => row.type, show: (row) => name(row.type), wide: true },
      { title: "Objects", value: (row) => row.objects, number: true },
      { title: "Bytes", value: (row) => row.bytes, show: (row) => bytes(row.bytes), number: true },
    ];
    parts.push(
      element("h3", "", title),
      element("p", "soft", lead),
      table({ rows, columns, words: (row) => [row.type], what: "types", caption: title }),
    );
  };
  if (report.closed) parts.push(element("p", "soft", `Not counted: ${report.closed}.`));
  byType("Lost references", rowsOf(report.lost), "Objects with a count that no reference explains.");
  byType(
    "Unreachable, says the log",
    rowsOf(report.unreachable),
    "What the program's own collector found unreachable.",
  );
  const anomalies = rowsOf(report.anomalies);
  if (anomalies.length) {
    const columns = [
      { title: "Anomaly", value: (row) => row.meaning, wide: true },
      { title: "Count", value: (row) => row.count, number: true },
      {
        title: "Examples",
        value: (row) => row.examples.join("; "),
        show: (row) => element("span", "", ...row.examples.map((text) => element("div", "", name(text)))),
        wide: true,
      },
    ];
    parts.push(
      element("h3", "", "Anomalies of the trace"),
      table({ rows: anomalies, columns, words: (row) => [row.meaning], what: "anomalies", caption: "Anomalies" }),
    );
  }
  return parts.length ? section("trace", "The trace", "What this page was made from.", ...parts) : null;
}
