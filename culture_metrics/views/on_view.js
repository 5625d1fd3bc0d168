// Figures are drawn as they come into view, and the rest when the page has nothing else to do, so that they
// can be searched; all that is left before it is printed. This runs before Plotly is loaded, which comes last.
(() => {
  "use strict";
  const waiting = new Map();
  const draw = (place) => {
    const given = waiting.get(place);
    if (!given) return;
    waiting.delete(place);
    near.unobserve(place);
    window.Plotly.newPlot(place, ...given);
    place.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
  };
  const near = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => draw(one.target)),
    { rootMargin: "400px 0px" },
  );
  const idle = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));
  const next = () => {
    const [place] = waiting.keys();
    if (!place) return;
    draw(place);
    idle(next);
  };
  window.Plotly = { newPlot: (id, ...given) => waiting.set(document.getElementById(id), given) };
  document.addEventListener("DOMContentLoaded", () => waiting.forEach((_, place) => near.observe(place)));
  window.addEventListener("load", () => idle(next));
  window.addEventListener("beforeprint", () => [...waiting.keys()].forEach(draw));
})();
