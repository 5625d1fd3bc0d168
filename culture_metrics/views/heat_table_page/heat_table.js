document.querySelectorAll(".cm-heat:not([data-ready])").forEach((heat) => {
  heat.dataset.ready = "1";
  const table = heat.querySelector("table"), heads = [...table.tHead.rows[0].cells];
  const fixed = (body) => body.matches(".cm-whole, .cm-folded");
  const bodies = [...table.tBodies].filter((body) => !fixed(body));
  const folded = table.querySelector("tbody.cm-folded");
  const name = (row) => (row.querySelector("summary") || row.cells[0]).textContent;
  const listed = new Map();
  table.querySelectorAll("tbody tr").forEach((row, place) => listed.set(row, place));
  // Sorted within what rows lie in, and these by their own row. What is not shown stands last, by name.
  const compare = (value, down) => (a, b) => {
    const x = value(a), y = value(b);
    if (x === null || y === null) return (x === null) - (y === null) || name(a).localeCompare(name(b));
    const by = typeof x === "string" ? x.localeCompare(y) : x - y;
    return (down ? -by : by) || listed.get(a) - listed.get(b);
  };
  const sort = (value, down = false) => {
    const order = compare(value, down);
    for (const body of bodies) {
      const rows = [...body.rows], first = rows[0].matches(".cm-around") ? rows.shift() : null;
      body.append(...(first ? [first] : []), ...rows.sort(order));
    }
    const around = bodies.filter((body) => body.rows[0].matches(".cm-around"));
    around.sort((a, b) => order(a.rows[0], b.rows[0]));
    const others = bodies.filter((body) => !around.includes(body));
    for (const body of [...around, ...others]) table.insertBefore(body, folded);
  };
  const number = (cell) => (cell.dataset.v ? Number(cell.dataset.v) : null);
  const clear = () => heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads.forEach((head, place) => {
    // No <button>: Chromium does not repeat headings with one on further sheets of paper.
    const button = document.createElement("span");
    button.setAttribute("role", "button");
    button.tabIndex = 0;
    button.textContent = head.textContent;
    button.title = "Sort";
    head.replaceChildren(button);
    button.addEventListener("keydown", (key) => {
      if (key.key !== "Enter" && key.key !== " ") return;
      key.preventDefault();
      button.click();
    });
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      clear();
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort((row) => (place ? number(row.cells[place]) : name(row)), down);
    });
  });
  const tools = document.createElement("div");
  tools.className = "cm-tools";
  const label = document.createElement("label"), input = document.createElement("input");
  const found = document.createElement("span");
  input.type = "search";
  label.append("Search ", input);
  found.setAttribute("role", "status");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let many = 0;
    for (const body of bodies) {
      const rows = [...body.rows];
      const here = (row) => name(row).toLowerCase().includes(wanted);
      const all = rows[0].matches(".cm-around") && here(rows[0]);
      rows.forEach((row) => { row.hidden = !(all || here(row)); many += !row.hidden; });
      // What rows lie in stays above them.
      if (rows[0].matches(".cm-around") && rows.some((row) => !row.hidden)) rows[0].hidden = false;
    }
    found.textContent = wanted ? `${many} found` : "";
  });
  tools.append(label);
  if (table.querySelector("[data-alike]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Like groups side by side";
    button.addEventListener("click", () => {
      clear();
      sort((row) => (row.dataset.alike ? Number(row.dataset.alike) : null));
    });
    tools.append(button);
  }
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "As listed first";
  again.addEventListener("click", () => { clear(); sort((row) => listed.get(row)); });
  tools.append(again, found);
  heat.insertBefore(tools, heat.querySelector(".cm-scroll"));
});
