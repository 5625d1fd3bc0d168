"use strict";
// On a narrow screen the contents start folded.
const contents = document.querySelector("nav details");
if (window.matchMedia("(max-width: 60rem)").matches) contents.removeAttribute("open");
// The entry of the section in view is marked in the contents.
const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
const places = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
let marked = null;
const mark = () => {
  const passed = places.filter((place) => place.getBoundingClientRect().top < 120);
  const link = passed.length ? links.get(passed[passed.length - 1].id) : null;
  if (link === marked) return;
  if (marked) marked.removeAttribute("aria-current");
  if (link) link.setAttribute("aria-current", "true");
  marked = link;
};
document.addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
mark();
// What is wider than its frame says so: on a narrow screen it is scrolled within the frame.
const frames = document.querySelectorAll(".figure, .table");
const measure = () => frames.forEach((f) => f.classList.toggle("wide", f.scrollWidth > f.clientWidth + 1));
window.addEventListener("resize", measure, { passive: true });
window.addEventListener("load", measure);
