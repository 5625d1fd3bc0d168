// Figures are drawn as they come into view, and the rest when the page has nothing else to do, so that they
// can be searched; all that is left before it is printed. This runs first. Plotly, which takes longer to start
// than all else, and what goes with it stand on the page as text until the page does and a figure is drawn.
(() => {
  "use strict";
  const waiting = new Map();
  const load = () => document.querySelectorAll('script[type="text/plain"]').forEach((kept) => {
    const script = document.createElement("script");
    script.textContent = kept.textContent;
    kept.replaceWith(script);
  });
  const draw = (place) => {
    const given = waiting.get(place);
    if (!given) return;
    load();
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
  window.addEventListener("load", () => {
    waiting.forEach((_, place) => near.observe(place));
    idle(next);
  });
  window.addEventListener("beforeprint", () => [...waiting.keys()].forEach(draw));
})();
