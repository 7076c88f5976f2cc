// Puts the page together, the first screen first, and listens to the search and the keys.

/** How many containers kept growing, those that have no row among them. */
const grown = report.growth.known ? report.growth.more + report.containers.rows.length : 0;

/** The application has no loop of its own and something that grows: that is what the page is about. */
const isAboutGrowth = grown > 0 && !report.summary.cyclic_garbage.by_owner.application;

function headline() {
  const loops = report.summary.cyclic_garbage;
  if (isAboutGrowth)
    return `${grown === 1 ? "1 container keeps" : `${count(grown)} containers keep`} growing, and all that is in ${grown === 1 ? "it" : "them"} is alive`;
  if (loops.loops > 0) {
    const peak = loops.peak_at_least;
    const isAll = peak.loops === loops.loops && peak.objects === loops.objects;
    const least = isAll || loops.peak_is_exact ? "" : "at least ";
    const size = peak.bytes === null ? "" : `, ${least}${bytes(peak.bytes)}${isAll ? "" : " at one time"},`;
    return `${counted(loops.loops, "reference loop", "reference loops")} of ${counted(loops.kinds, "kind", "kinds")}${size} that the reference count cannot free`;
  }
  if (report.unreachable.rows.length) return "Garbage that the log names, whose loops are not known";
  return report.not_checked ? "Nothing was checked" : "No reference loops found";
}

function verdict() {
  if (!report.gate) return null;
  if (report.gate.failed) return element("span", "verdict failed", "Check failed");
  return report.not_checked
    ? element("span", "verdict", "Not checked")
    : element("span", "verdict passed", "Check passed");
}

function tile(href, number, text) {
  const made = element(
    href && document.querySelector(href) ? "a" : "div",
    "tile",
    element("b", "", number),
    element("span", "", text),
  );
  if (made.tagName === "A") made.href = href;
  return made;
}

function tiles() {
  const { summary } = report;
  const loops = summary.cyclic_garbage;
  const made = [];
  if (grown > 0)
    made.push(
      tile("#growth", count(grown), grown === 1 ? "container kept growing" : "containers kept growing"),
    );
  for (const [owner, n] of Object.entries(loops.by_owner))
    made.push(
      tile(
        "#loops",
        count(n),
        `${n === 1 ? "loop" : "loops"} of ${owner.startsWith("package ") ? owner : `the ${owner}`}`,
      ),
    );
  if (loops.collected_loops > 0)
    made.push(tile("#loops", count(loops.collected_loops), "of them freed later by the collector"));
  if (summary.live_known && summary.live_bytes !== null)
    made.push(
      tile(
        "#types",
        bytes(summary.live_bytes),
        `in ${counted(summary.live_objects, "object", "objects")} alive at the end`,
      ),
    );
  else if (summary.live_known)
    made.push(
      tile(
        "#types",
        count(summary.live_objects),
        `${summary.live_objects === 1 ? "object" : "objects"} alive at the end, size not known`,
      ),
    );
  const advised = rowsOf(report.slots).filter((row) => row.verdict === "recommended").length;
  if (advised > 0)
    made.push(
      tile(
        "#slots",
        count(advised),
        advised === 1 ? "class would gain from __slots__" : "classes would gain from __slots__",
      ),
    );
  return element("div", "tiles", ...made);
}

function firstStep() {
  const loop = rowsOf(report.loops).find((row) =>
    row.standing ? row.standing === "fails" : row.owner === "application",
  );
  const cut = loop && details.get(loop.fingerprint)?.cut;
  if (!cut) return null;
  const link = element("a", "", "the first loop below");
  link.href = "#loops";
  const made = loop.place ? ["; the loop is made at ", name(loop.place)] : [];
  return element(
    "p",
    "first",
    "First thing to do: cut ",
    name(cut.reference),
    ", and have in its place ",
    name(cut.replacement),
    ...made,
    ". The reasons are with ",
    link,
    ".",
  );
}

function overview() {
  const made = element("section", "", element("h1", "", headline()));
  made.id = "overview";
  const inputs = rowsOf(report.inputs);
  const of = inputs.slice(0, 3).flatMap((input, at) => [at ? ", " : "", name(input.path), ` (${input.runtime})`]);
  const more = inputs.length + report.inputs.left_out - 3;
  if (more > 0) of.push(` and ${counted(more, "more trace", "more traces")}`);
  made.append(element("p", "soft", verdict(), verdict() ? " " : "", ...of));
  sentences(report.gaps).forEach((text) => made.append(element("p", "gap", text)));
  if (report.gate) sentences(report.gate.exceeded).forEach((text) => made.append(element("p", "gap", text)));
  if (isAboutGrowth)
    made.append(
      element(
        "p",
        "",
        "What the program itself keeps, neither the reference count nor the collector can free. A container that grows without end wants a bound, or entries taken out where they are done with: below is which one, and the line that fills it.",
      ),
    );
  else if (report.summary.cyclic_garbage.loops > 0)
    made.append(
      element(
        "p",
        "",
        "In a reference loop, objects refer to each other in a circle. CPython frees an object as soon as nothing refers to it; in a loop something always does, so all of it stays until the garbage collector comes by, and for good where that is switched off. One reference less, and it is freed at once: below is which one.",
      ),
    );
  const { loops, by_owner } = report.summary.cyclic_garbage;
  if (loops > 0 && !by_owner.application)
    made.append(
      element(
        "p",
        "",
        loops === 1 ? "The one reference loop is not the application's." : `None of the ${count(loops)} reference loops is the application's.`,
      ),
    );
  const first = firstStep();
  if (first) made.append(first);
  made.append(tiles());
  return made;
}

const main = document.getElementById("main");
const search = element("input");
Object.assign(search, { id: "search", type: "search", placeholder: "Search, with the / key", autocomplete: "off", spellcheck: false });
search.setAttribute("aria-label", "Search loops, types, files");
document.querySelector("header").append(search);

const sections = [
  isAboutGrowth ? growthSection() : null,
  loopsSection(),
  memorySection(),
  typesOverTimeSection(),
  collectionsSection(),
  findingsSection(),
  isAboutGrowth ? null : growthSection(),
  suspectedLostSection(),
  unheldSection(),
  retainedSection(),
  slotsSection(),
  typesSection(),
  traceSection(),
].filter((part) => part);
main.append(...sections);
main.prepend(overview());
const links = sections.map((part) => {
  const link = element("a", "", part.title_);
  link.href = `#${part.id}`;
  return link;
});
document.getElementById("nav").append(...links);
main.append(
  element(
    "p",
    "soft",
    `Written by refloop ${report.version}. The / key searches, Esc ends the search. Nothing in this page is loaded from elsewhere.`,
  ),
);

let waiting = 0;
search.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(searchNow, 120);
});

function searchNow() {
  const words = search.value
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word);
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

drawPictures();
addEventListener("resize", drawPictures);
addEventListener("beforeprint", drawPictures);
addEventListener("beforeprint", () => document.querySelectorAll(".loop").forEach((card) => (card.open = true)));
