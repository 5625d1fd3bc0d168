// Figures on a page: their words follow the width they have, and they go out as pictures.
(() => {
  "use strict";
  // As the house style has them, in pixels.
  const EDGE = 16, LABEL = 14, SUBTITLE = 15, TITLE = 20, HEADING = 26, FOOT = 19, DRAWN = 700;
  // Under this width labels stand above their rows; a picture is as large as a slide.
  const NARROW = 600, SLIDE = [1600, 900];
  // The least width of a column of a map, in which its numbers still stand apart.
  const CELL = 42;
  const pen = document.createElement("canvas").getContext("2d");
  const bare = (text) => new DOMParser().parseFromString(text.replace(/<br>/g, " "), "text/html").body.textContent;
  const safe = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const long = (text, size = LABEL, weight = 400) => {
    pen.font = `${weight} ${size}px "Segoe UI", -apple-system, "Helvetica Neue", Arial, "Liberation Sans", sans-serif`;
    return pen.measureText(text).width;
  };
  const greedy = (text, room, size, weight) => text.split(/[ \n]+/).filter(Boolean).reduce((lines, word) => {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && long(longer, size, weight) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
    return lines;
  }, []);
  // As few lines as can be, the last of which is no single word.
  const wrap = (text, room, size, weight) => {
    let lines = greedy(text, room, size, weight);
    for (let share = 0.95; share > 0.55 && lines.length > 1 && !lines[lines.length - 1].includes(" "); share -= 0.05) {
      const narrower = greedy(text, share * room, size, weight);
      if (narrower.length === lines.length) lines = narrower;
    }
    return lines;
  };
  // What is not broken at a space, unless it is long: a value and its unit, a verdict.
  const whole = (text, room) => (long(text) > room ? text : text.replace(/ /g, "\u00A0"));
  // A key names colours, a square before each or, left of what it is of, behind: one text for each.
  const coloured = (note) => note.text.includes("<span");
  const colours = (text) => text.split(/<br>|\s{2,}/).reduce((found, part) => {
    const square = (part.match(/<span.*<\/span>/) || [""])[0], name = part.replace(square, "").trim();
    if (square) found.push(`${square} ${name}`);
    else found[found.length - 1] += ` ${name}`;
    return found;
  }, []);
  // As many of them on a line as it has room for; one is broken only where it is longer than a line.
  const packed = (texts, room) => texts.reduce((lines, text) => {
    const longer = lines.length ? `${lines[lines.length - 1]} \u2002${text}` : text;
    if (lines.length && long(bare(longer)) <= room) lines[lines.length - 1] = longer;
    else if (long(bare(text)) <= room) lines.push(text);
    else lines.push(...wrap(bare(text), room).map(safe).map((line, i) => (
      i ? line : line.replace(/^\S+/, (text.match(/^<span.*<\/span>/) || ["$&"])[0]))));
    return lines;
  }, []);
  const copy = (value) => JSON.parse(JSON.stringify(value));
  const axes = (layout, letter) => Object.keys(layout).filter((key) => RegExp(`^${letter}axis\\d*$`).test(key));

  // Title and notes for a width: the layout is changed.
  const reword = (layout, width) => {
    const words = layout.meta && layout.meta.words;
    if (!words || !layout.margin) return layout;
    const room = width - 2 * EDGE;
    const before = layout.title.text.split("<br>").length, high = layout.height;
    const grey = (line) => `<span style='font-size:${SUBTITLE}px;color:#595959;font-weight:400'>${safe(line)}</span>`;
    const lines = [
      ...wrap(words.title, room, TITLE, 600).map(safe), ...wrap(words.subtitle, room, SUBTITLE, 400).map(grey),
    ];
    const more = HEADING * (lines.length - before);
    layout.title.text = lines.join("<br>");
    layout.title.pad = { ...layout.title.pad, t: lines.length === 1 ? EDGE : EDGE + 14 };
    layout.margin.t += more;
    layout.height += more;
    const notes = layout.annotations && layout.annotations[layout.annotations.length - 1];
    if (notes && words.below.length) {
      const below = words.below.flatMap((text) => wrap(text, room, LABEL, 400)).map(safe);
      const deeper = FOOT * (below.length - notes.text.split("<br>").length);
      notes.text = below.join("<br>");
      layout.margin.b += deeper;
      layout.height += deeper;
    }
    const bar = layout.coloraxis && layout.coloraxis.colorbar;
    if (bar && bar.yref === "container") bar.y = 1 - ((1 - bar.y) * high + more) / layout.height;
    return layout;
  };

  // Where a mark of a y axis stands, in pixels beneath the top of the plot.
  const place = (layout, ref, y, high) => {
    if (ref === "paper") return (1 - y) * high;
    const axis = layout[ref.replace("y", "yaxis")] || {};
    const [low, top] = axis.range || [0, 1], [bottom, end] = axis.domain || [0, 1];
    return (1 - bottom - (end - bottom) * (y - low) / (top - low)) * high;
  };

  // The layout for a narrow screen: what stood beside a row stands above it, and the plot takes the width.
  // Bars keep their thickness while rows move apart: the last value says by how much they do.
  const narrow = (drawn, width, bar) => {
    const layout = copy(drawn), margin = layout.margin, room = width - 2 * EDGE;
    const high = layout.height - margin.t - margin.b;
    const last = layout.annotations.length - 1;
    const notes = (layout.meta.words.below.length && layout.annotations[last]) || null;
    const all = layout.annotations.filter((note) => note !== notes);
    const side = (note) => note.xref === "paper" && !note.showarrow && (
      note.x === 0 && (note.xshift < 0 || note.xanchor === "right") ? "left"
        : note.x === 1 && (note.xanchor === "left" || note.xshift > 0) ? "right" : "");
    const head = (note) => note.yref === "paper" && note.y === 1 && !note.showarrow;
    const beside = margin.l > 120 || margin.r > 150 || margin.l + margin.r > 0.4 * width ? all.filter((note) => side(note) && !head(note)) : [];
    const rows = beside.length > 0;
    const heads = rows ? all.filter(head) : [];
    const kept = all.filter((note) => !beside.includes(note) && !heads.includes(note));
    const rates = [];
    let grown = 0, extra = 0, rate = 1;
    if (rows) {
      // One text for each row: its label, and after it what stood at the right.
      const lines = new Map();
      beside.forEach((note) => {
        const key = `${note.yref} ${note.y}`;
        const row = lines.get(key) || { at: note, texts: [], y: place(layout, note.yref, note.y, high) };
        const of = side(note) === "left" && heads.find((one) => (
          side(one) === "left" && !coloured(one) && one.xshift === note.xshift));
        if (of) of.said = true;
        row.texts.push([
          side(note) === "left" ? 0 : 1, note.xshift || 0, `${of ? `${bare(of.text)} ` : ""}${bare(note.text)}`, note.font,
        ]);
        lines.set(key, row);
      });
      const placed = [...lines.values()].sort((a, b) => a.y - b.y);
      placed.forEach((row) => {
        row.texts.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        const said = row.texts.map((text, i) => (i ? whole(text[2], room / 2) : text[2])).join(" \u2002");
        row.bold = (row.texts[0][3] || {}).weight;
        row.lines = wrap(said, room, LABEL, row.bold || 400).map((line) => safe(line.replace(/\u00A0/g, " ")));
      });
      placed.forEach((row, i) => {
        const gap = i ? row.y - placed[i - 1].y : 0;
        if (i) rates.push((FOOT * row.lines.length + 22 + bar) / Math.max(gap, 4));
        else extra = Math.max(0, FOOT * row.lines.length + 12 + bar / 2 - row.y);
      });
      rate = Math.min(4, Math.max(1, ...rates));
      grown = high * (rate - 1);
      placed.forEach((row) => kept.push({
        ...row.at, x: 0, xref: "paper", xanchor: "left", align: "left", xshift: 0, yanchor: "bottom", yshift: 9 + bar / 2,
        text: row.lines.join("<br>"), font: row.texts[0][3], bgcolor: "rgba(255,255,255,0.7)",
      }));
      // What the columns were called, and what the colours mean, one beneath the other.
      const named = heads.filter((note) => !note.said).sort((a, b) => (side(a) ? 1 : 0) - (side(b) ? 1 : 0) || a.x - b.x);
      const keys = named.filter((note) => coloured(note) || !side(note)).flatMap((note) => (
        coloured(note) ? colours(note.text) : [`| ${note.text}`]));
      const columns = named.filter((note) => side(note) && !coloured(note)).map((note) => bare(note.text)).join(" \u2002");
      const list = [...packed(keys, room), ...(columns ? wrap(columns, room).map(safe) : [])];
      if (list.length) kept.push({
        text: list.join("<br>"), x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "left", align: "left",
        yanchor: "bottom", yshift: extra + 8, showarrow: false, font: { size: LABEL, color: "#595959" },
      });
      const named_room = list.length ? FOOT * list.length + 12 : 0;
      const heading = layout.title.text.split("<br>").length;
      const top = EDGE + HEADING * heading + 6 + named_room + extra;
      layout.height += grown + top - margin.t;
      margin.t = top;
      margin.l = EDGE;
      margin.r = EDGE;
    }
    if (!rows && margin.r > 130) {
      const most = Math.max(0, ...kept.map((note) => long(bare(note.text || ""))));
      margin.r = Math.min(margin.r, most + 24, 0.55 * width);
    }
    const inner = width - margin.l - margin.r;
    let lines = 1;
    kept.forEach((note) => {
      if (rows && note.xref === "paper") return;
      const axis = layout[(note.xref || "x").replace("x", "xaxis")] || {};
      const [low, end] = axis.range || [0, 1], leader = note.showarrow ? 24 : 0;
      const x = note.axref === "x" ? note.ax : note.x;
      const share = note.xref === "paper" ? x : (x - low) / (end - low);
      // Names beyond the right end of lines take more lines; others are moved until they can be seen.
      const texts = note.text.split("<br>"), size = (note.font || {}).size || LABEL, weight = (note.font || {}).weight || 400;
      const most = Math.max(...texts.map((text) => long(bare(text), size, weight)));
      if (note.showarrow && !note.text) return;
      const fits = Math.min(room, share > 0.99 && note.xanchor === "left" && margin.r > 60 ? margin.r - 16 - leader : room);
      if (most > fits) {
        const words = coloured(note) ? packed(colours(note.text), fits)
          : texts.flatMap((text) => wrap(bare(text), fits, size, weight)).map(safe);
        lines = Math.max(lines, Math.min(2, words.length / texts.length));
        note.align = "left";
        note.text = words.join("<br>");
      }
      const wide = Math.min(most, fits), at = margin.l + share * inner + (note.xshift || 0);
      const left = note.xanchor === "left" ? at : note.xanchor === "right" ? at - wide : at - wide / 2;
      if (!note.showarrow) note.xshift = (note.xshift || 0) + Math.max(0, 4 - left) - Math.max(0, left + wide - width + 4);
    });
    layout.height += (lines > 1 ? high * (lines - 1) : 0);
    axes(layout, "x").forEach((name) => {
      const axis = layout[name];
      if (axis.visible === false) return;
      const share = axis.domain ? axis.domain[1] - axis.domain[0] : 1;
      axis.nticks = Math.max(3, Math.floor(inner * share / 60));
      axis.tickangle = 0;
      if (axis.tickvals) {
        const texts = (axis.ticktext || axis.tickvals).map((text) => bare(String(text)));
        const every = Math.ceil(texts.length * (Math.max(...texts.map((text) => long(text))) + 12) / (inner * share + 60));
        const stay = (_, i) => i % every === 0;
        axis.tickvals = axis.tickvals.filter(stay);
        if (axis.ticktext) axis.ticktext = axis.ticktext.filter(stay);
      }
      if (axis.title && axis.title.text) {
        const words = wrap(bare(axis.title.text), inner * share, LABEL, 400).map(safe);
        axis.title.text = words.join("<br>");
        layout.height += FOOT * (words.length - 1);
        margin.b += FOOT * (words.length - 1);
        if (notes) notes.yshift -= FOOT * (words.length - 1);
      }
    });
    if (notes) notes.xshift = EDGE - margin.l;
    layout.annotations = notes ? [...kept, notes] : kept;
    return [layout, rate];
  };

  // A map has a column for each measure: it scrolls, and its numbers open beneath it.
  const scrolls = (data, layout) => data.some((trace) => trace.type === "heatmap") || Boolean(layout.width);
  // The figure for a width: its traces and its layout.
  const fit = (data, drawn, width) => {
    if (!drawn.meta || !drawn.meta.words || !drawn.margin) return [data, drawn];
    if (scrolls(data, drawn)) {
      const columns = Math.max(0, ...data.map((trace) => (trace.type === "heatmap" && trace.x ? trace.x.length : 0)));
      const needed = columns ? drawn.margin.l + drawn.margin.r + CELL * columns : DRAWN;
      const least = width < DRAWN && !drawn.width ? { width: Math.max(width, Math.min(DRAWN, needed)) } : {};
      return [data, reword({ ...copy(drawn), ...least }, width)];
    }
    const layout = reword(copy(drawn), width);
    if (width >= NARROW) return [data, layout];
    const lying = (trace) => trace.type === "bar" && trace.orientation === "h";
    const thick = Math.max(0, ...data.filter(lying).map((trace) => trace.width || 0));
    const [small, rate] = narrow(layout, width, thick);
    return [data.map((trace) => (lying(trace) ? { ...trace, width: trace.width / rate } : trace)), small];
  };
  const room = (gd) => Math.floor(gd.closest("figure").clientWidth);
  // Whoever draws a figure, now or when it comes into view, draws it once and for the width it has.
  if (window.Plotly) {
    const draw = window.Plotly.newPlot;
    window.Plotly.newPlot = (target, data, layout, config) => {
      const gd = typeof target === "string" ? document.getElementById(target) : target;
      if (!gd || !gd.closest('figure[role="img"]')) return draw(target, data, layout, config);
      gd.asDrawn = [data, layout];
      gd.atWidth = room(gd);
      const fitted = gd.atWidth ? fit(data, layout, gd.atWidth) : [data, layout];
      if (fitted[1].height) gd.style.height = `${fitted[1].height}px`;
      return draw(gd, fitted[0], fitted[1], config);
    };
  }
  const follow = (gd) => {
    const width = room(gd);
    if (!width || !gd.asDrawn || gd.atWidth === width) return;
    gd.atWidth = width;
    const [data, layout] = fit(...gd.asDrawn, width);
    gd.style.height = `${layout.height}px`;
    window.Plotly.react(gd, data, layout);
  };

  // Pictures: the figure on a white ground as large as a slide, higher where its words would get too small.
  const picture = async (gd) => {
    const [data, drawn] = gd.asDrawn || [gd.data, gd.layout], own = drawn.width;
    let width = own || DRAWN, layout;
    for (let turn = 0; turn < 2; turn += 1) {
      layout = reword(copy(drawn), width);
      width = own || Math.min(SLIDE[0], Math.max(DRAWN, Math.round((layout.height || 450) * SLIDE[0] / SLIDE[1])));
    }
    const height = layout.height || 450, scale = Math.max(1, Math.min(SLIDE[0] / width, SLIDE[1] / height));
    const url = await window.Plotly.toImage(
      { data, layout: { ...layout, width, height, paper_bgcolor: "#FFFFFF" } },
      { format: "png", width, height, scale, imageDataOnly: false },
    );
    const image = new Image();
    image.src = url;
    await image.decode();
    const sheet = document.createElement("canvas");
    sheet.width = Math.max(SLIDE[0], Math.round(width * scale));
    sheet.height = Math.max(SLIDE[1], Math.round(height * scale));
    const brush = sheet.getContext("2d");
    brush.fillStyle = "#FFFFFF";
    brush.fillRect(0, 0, sheet.width, sheet.height);
    brush.drawImage(image, Math.round((sheet.width - image.width) / 2), 0);
    return new Promise((done) => sheet.toBlob(done, "image/png"));
  };
  const named = (title) => `${title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "figure"}.png`;
  const keep = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const button = (text, title) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", `${text}: ${title}`);
    return made;
  };
  const offer = (figure) => {
    const title = figure.dataset.title || "Figure", row = document.createElement("div");
    const both = [button("Copy as picture", title), button("Save PNG", title)], said = document.createElement("span");
    row.className = "pictures";
    said.setAttribute("role", "status");
    row.append(...both, said);
    figure.after(row);
    const gd = () => figure.querySelector(".js-plotly-plot");
    both[0].addEventListener("click", async () => {
      said.textContent = "";
      try {
        // The promise goes in as it is: some browsers let a page copy only at once after a click.
        await navigator.clipboard.write([new ClipboardItem({ "image/png": picture(gd()) })]);
        said.textContent = "Copied.";
      } catch {
        said.textContent = "This browser does not let the page copy a picture: choose Save PNG.";
      }
    });
    both[1].addEventListener("click", async () => {
      said.textContent = "";
      try {
        keep(await picture(gd()), named(title));
        said.textContent = "Saved where your browser puts downloads.";
      } catch {
        said.textContent = "The picture could not be made.";
      }
    });
  };
  const start = () => {
    const figures = [...document.querySelectorAll('figure[role="img"]')];
    figures.forEach(offer);
    // What scrolls must do so by keys as well.
    const reach = (figure, gd) => {
      const width = room(gd), wide = gd.asDrawn && fit(...gd.asDrawn, width)[1].width > width;
      if (wide && getComputedStyle(figure).overflowX === "auto") figure.tabIndex = 0;
      else figure.removeAttribute("tabindex");
    };
    const watch = new ResizeObserver((seen) => seen.forEach(({ target }) => {
      const gd = target.querySelector(".js-plotly-plot");
      if (!gd) return;
      follow(gd);
      reach(target, gd);
    }));
    figures.forEach((figure) => watch.observe(figure));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
