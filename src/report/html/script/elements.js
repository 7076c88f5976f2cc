"use strict";

// Makes elements. A text of the report becomes a text node and nothing else; a number is one of the report's.

const report = JSON.parse(document.getElementById("report").textContent);

/** Rows that are drawn at first, and with each wish for more. */
const FIRST_ROWS = 25;
const MORE_ROWS = 100;

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

const tag = (text, x, y, anchor) => svg("text", { x, y, "text-anchor": anchor || "start" }, text);

/** Places of pictures, each with what draws it at a width. */
const pictures = new Map();

/** A place for a picture as wide as the page has room; it is drawn by `drawPictures` once it is in the page. */
function pictureIn(place, draw) {
  pictures.set(place, { draw, width: 0 });
  return place;
}

/** Draws the pictures whose width is not what they were drawn for. */
function drawPictures() {
  for (const [place, picture] of pictures) {
    if (place.clientWidth === picture.width || !place.isConnected) continue;
    picture.width = place.clientWidth;
    picture.draw(picture.width);
  }
}

/** Draws all of them once more. */
function redrawPictures() {
  pictures.forEach((picture) => (picture.width = 0));
  drawPictures();
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

/** The same within a sentence. */
const size = (n) => (n === null ? "size not known" : bytes(n));

function duration(ns) {
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(2)} s`;
}

function moment(at) {
  const event = `event ${count(at.event)}`;
  return at.ns === null ? event : `${duration(at.ns)} (${event})`;
}
