// How the query–key lab looks: two planes of arrows, the table and the map of weights, and the experiment's histograms.

// where things are, in pixels: the planes at both sides of the table, or above it where there is less room; the picture
// is never narrower than `least`
function measure(width, T, least) {
  const TOP = 26;
  const [rowHigh, cell] = T > 4 ? [27, 25] : [32, 30];
  const tableHigh = 22 + T * rowHigh + 26;
  if (width >= 880) {
    const side = Math.min(310, Math.floor((width - 318 - 36) / 2));
    const size = side - 30;
    const middle = side + 22;
    const mapTop = TOP + tableHigh + 22;
    return { keys: { x: 28, y: TOP, width: size, height: size }, values: { x: width - size - 4, y: TOP, width: size, height: size },
      table: { x: middle, y: TOP, width: width - 2 * side - 36, rowHigh }, map: { x: middle + 62, y: mapTop, cell },
      width, height: Math.max(TOP + size + 30, mapTop + 18 + T * cell + 4) };
  }
  const full = Math.max(width, least);
  const size = Math.min(330, Math.floor((full - 20) / 2) - 32);
  const second = Math.floor(full / 2) + 10;
  const y = TOP + size + 50;
  const beside = full >= 520; // the map, and not below the table
  const mapTop = beside ? y + 18 : y + tableHigh + 26;
  const room = beside ? full - 4 - 66 - T * cell - 30 : full - 8;
  return { keys: { x: 28, y: TOP, width: size, height: size }, values: { x: second + 28, y: TOP, width: size, height: size },
    table: { x: 4, y, width: Math.min(330, room), rowHigh }, map: { x: beside ? full - T * cell - 8 : 66, y: mapTop, cell },
    width: full, height: Math.max(y + tableHigh, mapTop + 20 + T * cell) + 6 };
}

// the part of an arrow at its tip: a triangle that points away from the origin, a dot where there is no direction
const HEAD = { query: "M3 0L-13 7.5V-7.5Z", key: "M2 0L-10 5V-5Z", value: "M0-6A6 6 0 1 1-.01-6Z" };

// a plane with arrows from the origin; `measured` is how wide a label is, in pixels
function arrows(parent, measured) {
  const group = svg("g");
  parent.append(group);
  const title = svg("text", { class: "qk-title" });
  const axes = plot(group);
  const zero = svg("path", { class: "qk-zero" });
  const edge = svg("circle", { class: "qk-edge" });
  const [below, lines, tips, above, words] = range(5).map(() => svg("g"));
  axes.inside.append(edge, zero, below, lines);
  group.append(title, above, tips, words);
  const settle = labeller(100);
  const labelOf = () => svg("text", { class: "ll-halo qk-label" });
  const lineOf = () => svg("line");

  return {
    below, above, tips,
    place(box, reach, text) {
      const far = reach * 1.09;
      const marks = [-reach, -reach / 2, 0, reach / 2, reach].map((value) => [value, minus(digits(value, 4))]);
      axes.place(box, { low: -far, high: far, bottom: -far, top: far }, marks, marks);
      const [cx, cy] = [axes.x(0), axes.y(0)];
      change(zero, { d: `M${box.x} ${cy}H${box.x + box.width}M${cx} ${box.y}V${box.y + box.height}` });
      change(edge, { cx, cy, r: axes.x(reach) - cx });
      change(title, { x: box.x - 24, y: box.y - 10, text });
    },
    at: ([x, y]) => [axes.x(x), axes.y(y)],
    // the vector at a place of the picture
    back: (px, py) => [(px - axes.x(0)) / (axes.x(1) - axes.x(0)), (py - axes.y(0)) / (axes.y(1) - axes.y(0))],
    // each arrow: { vector, kind, text, look, tip } with `tip` its element, made by `handle`
    draw(all, extra = { lines: [], dots: [], labels: [] }) {
      const ends = all.map(({ vector }) => this.at(vector));
      const [ox, oy] = this.at([0, 0]);
      pool(lines, all.length, lineOf).forEach((line, n) => {
        const { kind, look } = all[n];
        // the line ends where the head begins
        const size = Math.hypot(ends[n][0] - ox, ends[n][1] - oy);
        const cut = size > 14 ? 1 - (kind === "value" ? 5 : 9) / size : 0;
        change(line, { x1: ox, y1: oy, x2: ox + (ends[n][0] - ox) * cut, y2: oy + (ends[n][1] - oy) * cut, class: `qk-line qk-${kind}${look}` });
      });
      all.forEach(({ kind, look, tip, vector, name, chosen }, n) => {
        const [x, y] = ends[n];
        const flat = Math.hypot(x - ox, y - oy) <= 14;
        const turn = (Math.atan2(y - oy, x - ox) * 180) / Math.PI;
        change(tip, { transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})`, class: `qk-tip qk-${kind}${look}`,
          "aria-label": `${name}: ${pair(vector)}`, "aria-current": chosen ? "true" : null });
        change(tip.lastChild, { d: flat && kind !== "value" ? "M0-5A5 5 0 1 1-.01-5Z" : HEAD[kind], transform: flat ? null : `rotate(${turn.toFixed(1)})` });
      });
      // tips in the same place share a label
      const places = new Map();
      all.forEach(({ text, look, kind }, n) => {
        const [x, y] = ends[n];
        const spot = `${x.toFixed(0)} ${y.toFixed(0)}`;
        const known = places.get(spot);
        if (known && kind === "query") known.texts.unshift(text);
        else if (known) known.texts.push(text);
        else places.set(spot, { key: text, x, y, away: 11, texts: [text], look });
      });
      const room = axes.box.width * 0.66;
      const joined = ({ texts }) => (measured(texts.join(" ")) < room ? texts.join(" ") : `${texts[0]} + ${texts.length - 1} more`);
      const tags = [...places.values()].map((tag) => ({ ...tag, text: joined(tag) })).concat(extra.labels);
      const elements = pool(words, tags.length, labelOf);
      tags.forEach((tag, n) => {
        change(elements[n], { class: `ll-halo qk-label${tag.look ?? ""}` });
        Object.assign(tag, { element: elements[n], width: measured(tag.text) + 4 });
      });
      const around = ([x, y], r) => ({ x, y, left: x - r, right: x + r, top: y - r, bottom: y + r });
      const { x, y, width, height } = axes.box;
      settle(tags, { lines: [...ends.map((end) => [ox, oy, ...end]), ...extra.lines], dots: [...ends.map((end) => around(end, 7)), ...extra.dots],
        frame: { left: x, right: x + width, top: y, bottom: y + height } });
    },
  };
}

// the table: for the token that asks, each token's score, what goes into the softmax, and its weight
function scoreTable(parent, T, hatch) {
  const group = svg("g", { class: "qk-table" });
  parent.append(group);
  const heads = ["qk-head", "qk-head qk-end", "qk-head qk-end", "qk-head"].map((kind) => svg("text", { class: kind }));
  const band = svg("rect", { class: "qk-frame", rx: 5 });
  const sum = svg("text", { class: "ll-muted" });
  const rows = range(T).map((i) => svg("g", { class: "qk-row", "data-column": i },
    svg("rect", { class: "qk-hit" }), svg("text", { class: "qk-token" }), svg("text", { class: "qk-number" }),
    svg("text", { class: "qk-number" }), svg("rect", { class: "qk-track" }), svg("rect", { class: "qk-weight" }),
    svg("text", { class: "qk-share" })));
  group.append(band, ...rows, ...heads, sum);

  return function draw({ x, y, width, rowHigh }, now, fitted) {
    const { labels, scores, fed, weights, divide, mask, row: t, column, query, key } = now;
    const at = { token: x + 6, score: x + 108, fed: x + 168, bar: x + 184, share: x + width - 4 };
    const barWide = at.share - 47 - at.bar;
    const titles = [["key", at.token], ["q · k", at.score], [divide ? "÷ √2" : "not ÷", at.fed], ["weight", at.bar]];
    heads.forEach((head, n) => change(head, { x: titles[n][1], y: y + 6, text: titles[n][0] }));
    const top = y + 16;
    change(band, { x, y: top + column * rowHigh + 1, width, height: rowHigh - 2 });
    rows.forEach((row, i) => {
      const [hit, token, score, into, track, bar, part] = row.childNodes;
      const off = mask && i > t;
      const middle = top + (i + 0.5) * rowHigh;
      const words = middle + 5;
      change(row, { class: `qk-row${off ? " qk-off" : ""}${i === column ? " qk-chosen" : ""}` });
      change(hit, { x, y: top + i * rowHigh, width, height: rowHigh });
      change(token, { x: at.token, y: words, text: `k(${fitted(labels[i])})` });
      change(score, { x: at.score, y: words, text: short(scores[t][i]) });
      change(into, { x: at.fed, y: words, text: off ? "−∞" : short(fed[t][i]) });
      change(track, { x: at.bar, y: middle - 8, width: barWide, height: 16, style: off ? `fill: ${hatch}` : null });
      change(bar, { x: at.bar, y: middle - 8, width: (weights[t][i] * barWide).toFixed(1), height: 16 });
      change(part, { x: at.share, y: words, text: share(weights[t], i) });
    });
    const [q, k] = [query[t], key[column]];
    change(sum, { x: at.token, y: top + labels.length * rowHigh + 18,
      text: `q · k = ${factor(q[0])} · ${factor(k[0])} + ${factor(q[1])} · ${factor(k[1])} = ${short(scores[t][column])}` });
  };
}

// the map of all weights, (T, T): the row of the token that asks is outlined
function weightMap(parent, T, hatch) {
  const group = svg("g", { class: "qk-map" });
  const title = svg("text", { class: "qk-head" });
  const band = svg("rect", { class: "qk-band", rx: 4 });
  const cells = range(T).map((t) => range(T).map((i) => svg("g", { class: "qk-cell", "data-row": t, "data-column": i },
    svg("rect", { class: "qk-base" }), svg("rect", { class: "qk-shade" }), svg("text"))));
  const sides = range(T).map(() => svg("text", { class: "qk-side" }));
  const tops = range(T).map(() => svg("text", { class: "qk-top" }));
  const around = svg("rect", { class: "qk-frame", rx: 4 });
  group.append(title, band, ...cells.flat(), ...sides, ...tops, around);
  parent.append(group);

  return function draw({ x, y, cell }, { labels, weights, mask, row }, fitted) {
    change(title, { x: x - 56, y: y - 12, text: `all weights (${T}, ${T})` });
    const top = y + 16;
    const outline = { x: x - 58, y: top + row * cell - 2, width: 58 + T * cell + 3, height: cell + 4 };
    change(band, { ...outline, width: 58 });
    change(around, outline);
    range(T).forEach((t) => {
      change(sides[t], { x: x - 6, y: top + (t + 0.5) * cell + 4, text: `q(${fitted(labels[t], 30)})`, class: `qk-side${t === row ? " qk-strong" : ""}` });
      change(tops[t], { x: x + (t + 0.5) * cell, y: top - 5, text: fitted(labels[t], cell - 3) });
      range(T).forEach((i) => {
        const [base, shade, text] = cells[t][i].childNodes;
        const box = { x: x + i * cell, y: top + t * cell, width: cell, height: cell };
        const off = mask && i > t;
        change(base, { ...box, style: off ? `fill: ${hatch}` : null });
        change(shade, { ...box, "fill-opacity": (0.85 * weights[t][i]).toFixed(3) });
        const words = off ? "" : share(weights[t], i).replace("0.", ".");
        change(text, { x: box.x + cell / 2, y: box.y + cell / 2 + 4, text: words, class: words.length > 3 ? "qk-tiny" : null });
      });
    });
  };
}

// the experiment: two rows, without and with the division; in each a histogram of the scores, and the weights of a softmax over 8
const SPAN = 64; // the histograms' ends, 4 standard deviations of the largest head; one bar is 1 wide
function histograms(parent) {
  const HIGH = 62;
  const rows = range(2).map(() => ({
    name: svg("text", { class: "qk-head" }), note: svg("text", { class: "qk-end" }), paper: svg("rect", { class: "ll-paper" }), bars: svg("path", { class: "qk-bars" }),
    what: svg("text", { class: "qk-head" }), largest: svg("text", { class: "qk-end" }), base: svg("rect", { class: "ll-paper" }), shares: svg("path", { class: "qk-shares" }),
    even: svg("path", { class: "qk-even" }), eighth: svg("text", { class: "ll-muted" }),
  }));
  const marks = svg("g");
  parent.append(marks, ...rows.flatMap((row) => Object.values(row)));

  return function draw(full, size, found) {
    const part = Math.floor(full * (full < 520 ? 0.55 : 0.6));
    const left = { x: 2, width: part - 24 };
    const right = { x: part + 8 };
    right.width = full - right.x - 34;
    const unit = left.width / (2 * SPAN + 1);
    const top = (k) => 20 + k * (HIGH + 32);
    found.forEach(({ scores, variance, weights }, k) => {
      const { name, note, paper, bars, what, largest: most, base, shares, even, eighth } = rows[k];
      const foot = top(k) + HIGH;
      const counts = new Array(2 * SPAN + 1).fill(0);
      for (const score of scores) counts[Math.max(-SPAN, Math.min(SPAN, Math.round(score))) + SPAN] += 1;
      const scale = (HIGH - 6) / Math.max(...counts);
      const path = counts.map((n, i) => (n ? `M${(left.x + i * unit).toFixed(1)} ${foot}v${(-n * scale).toFixed(1)}h${unit.toFixed(2)}v${(n * scale).toFixed(1)}z` : "")).join("");
      change(name, { x: left.x, y: top(k) - 6, text: k ? `q · k ÷ √${size}` : "q · k" });
      change(note, { x: left.x + left.width, y: top(k) - 6, text: `variance ${about(variance)}` });
      change(paper, { x: left.x, y: top(k), width: left.width, height: HIGH });
      change(bars, { d: path });
      const step = right.width / GROUP;
      change(what, { x: right.x, y: top(k) - 6, text: ["softmax", `softmax of ${GROUP}`, `softmax of ${GROUP} scores`][(right.width > 165) + (right.width > 240)] });
      change(most, { x: right.x + right.width, y: top(k) - 6, text: `largest ${share(weights, 0)}` });
      change(base, { x: right.x, y: top(k), width: right.width, height: HIGH });
      change(shares, { d: weights.map((w, i) => `M${(right.x + (i + 0.14) * step).toFixed(1)} ${foot}v${(-w * HIGH).toFixed(1)}h${(0.72 * step).toFixed(1)}v${(w * HIGH).toFixed(1)}z`).join("") });
      const level = foot - HIGH / GROUP;
      change(even, { d: `M${right.x} ${level}h${right.width}` });
      change(eighth, { x: right.x + right.width + 5, y: level + 4, text: `1/${GROUP}` });
    });
    const foot = top(1) + HIGH;
    const ticks = left.width < 300 ? [-48, -24, 0, 24, 48] : [-48, -32, -16, 0, 16, 32, 48];
    pool(marks, ticks.length, () => svg("g", {}, svg("line", { class: "ll-grid" }), svg("text", { class: "ll-muted qk-middle" }))).forEach((mark, n) => {
      const x = left.x + (ticks[n] + SPAN + 0.5) * unit;
      change(mark.firstChild, { x1: x, x2: x, y1: top(0), y2: foot });
      change(mark.lastChild, { x, y: foot + 16, text: minus(String(ticks[n])) });
    });
    return { width: full, height: foot + 24 };
  };
}
