// Where things are in the attention lab, and how they look. Nothing here remembers a state of the lab.

const ARCS = 92; // how high the arcs of the attention rise
const BOX = 46; // how high a token's box is
const BOWS = 38; // how deep the arcs of the average hang
const SKIPPED = 22; // how wide a token is that the model does not see
const BAR = 23;
const ROW_SIGN = 24; // the room of a row's sign, left of the map
const AVERAGE = 104; // the side of the average's map

// in pixels: the row of tokens, and below it the maps and the bars
function measure(width, { T, length, layers, most }) {
  const full = Math.max(width, 470);
  const n = Math.max(T, 1);
  const margin = full >= 700 ? 82 : 66;
  const over = Math.min(length - T, Math.max(1, Math.min(8, Math.floor((full - margin - 6 - 30 * n) / SKIPPED))));
  const x0 = margin + over * SKIPPED + (over ? 6 : 0);
  const size = Math.max(12, Math.floor(Math.min(76, (full - x0 - 4) / n)));
  const top = ARCS + 8;
  const y0 = top + BOX + BOWS + 40; // the titles of the maps
  const three = full >= 700;
  const side = full >= 860 ? 296 : three ? 250 : 236;
  const cell = Math.max(4, Math.floor(Math.min(44, side / n)));
  const map = { x: 26, y: y0 + 30, cell, side: cell * T };
  const x2 = 26 + Math.max(side, map.side) + 34;
  const wide = full >= 860 ? 232 : three ? 184 : full - x2 - 4;
  const small = Math.floor(Math.min(AVERAGE, (wide - 18) / most - 5, (side + 4) / layers - 5));
  const maps = { x: x2 + 18, y: y0 + 30, small, step: small + 5 };
  const x3 = three ? x2 + wide + 34 : 26;
  const yb = three ? y0 : y0 + 30 + Math.max(side, map.side) + 34;
  const mean = { x: x3, y: yb + 12, side: AVERAGE };
  const bars = three ? { x: x3, y: mean.y + AVERAGE + 34 } : { x: x3 + AVERAGE + 60, y: yb };
  bars.width = Math.min(full - bars.x - 4, 300);
  const foot = Math.max(map.y + Math.max(side, map.side), mean.y + AVERAGE, bars.y + 10 + 5 * BAR) + 6;
  const right = Math.max(full, x0 + n * size + 4);
  return { over, x0, size, top, y0, map, maps, mean, bars, x2, right, height: foot };
}

// an element that was another text before must lose what this one does not have
const PLAIN = { class: null, "text-anchor": null, "font-size": null };
const texts = (group, items) => pool(group, items.length, () => svg("text"))
  .forEach((element, k) => change(element, { ...PLAIN, ...items[k] }));

// a sign of several letters, such as 200D, has no place in a narrow box
const fitting = (label, room) => ([...label].length > 2 && room < 28 ? "·" : label);
function letters(label, most, room) {
  const wide = 0.95 * Math.max(1, [...label].length);
  return Math.max(6, Math.min(most, (room - 3) / wide)).toFixed(1);
}

// everything that is drawn, made once
function build(stage) {
  const layer = (attributes = {}) => svg("g", attributes);
  const view = {
    words: layer(), bows: layer({ class: "at-bows" }), arcs: layer({ class: "at-arcs" }),
    skipped: layer({ class: "at-skipped" }),
    tokens: layer({ role: "listbox", "aria-label": "tokens: arrow keys choose who listens", "aria-orientation": "horizontal" }),
    signs: layer(), numbers: layer({ class: "at-numbers" }),
    stairs: svg("path", { class: "at-stairs" }),
    row: svg("rect", { class: "at-row" }), cell: svg("rect", { class: "at-cell" }),
    rows: layer({ role: "listbox", "aria-label": "rows of the map: arrow keys choose who listens" }),
    small: layer({ role: "grid", "aria-label": "all layers and heads: arrow keys choose one" }),
    meanFrame: svg("rect", { class: "at-frame" }), meanRow: svg("rect", { class: "at-row" }), bars: layer(),
    canvases: [], painted: new WeakMap(), // and which map each shows
  };
  view.svg = svg("svg", { role: "group", "aria-label": "Who listens to whom, as arcs and as maps, and what comes next" },
    view.words, view.bows, view.arcs, view.skipped, view.tokens, view.signs, view.numbers, view.stairs, view.meanFrame,
    view.small, view.row, view.meanRow, view.cell, view.rows, view.bars);
  view.picture = html("div", { class: "at-picture" }, view.svg);
  const key = (kind, text) => html("span", { class: "at-item" }, html("span", { class: `at-key ${kind}` }), text);
  const legend = html("p", { class: "at-legend" },
    key("at-key-now", "the token that listens: its row"), key("at-key-arc", "what it listens to: the darker, the more"),
    key("at-key-bow", "the average"), key("at-key-off", "masked: it comes later"));
  stage.append(view.picture, legend);
  return view;
}

function drawAll(view, now, at) {
  put(view.picture, { style: `width: ${at.right}px; height: ${at.height}px` });
  put(view.svg, { width: at.right, height: at.height });
  drawLabels(view, now, at);
  drawTokens(view, now, at);
  drawArcs(view, now, at);
  drawMap(view, now, at);
  drawSmall(view, now, at);
  drawCanvases(view, now, at);
  drawNext(view, now, at);
}

function drawLabels(view, { T, t, layer, head, average, length, heads }, at) {
  const bold = (x, y, text) => ({ x, y, text, class: "at-strong" });
  const words = [bold(at.map.x, at.y0, `layer ${layer}, head ${head}`), bold(at.x2, at.y0, "all layers and heads"),
    bold(at.mean.x, at.mean.y - 12, "the average"), bold(at.bars.x, at.bars.y, "what comes next")];
  if (T) {
    words.push(bold(0, at.top - 24, "attention"), bold(0, at.top + BOX + 18, "average"));
    words.push({ x: 0, y: at.top + BOX + 35, text: `${two(Math.max(...average[t]))} each`, class: "ll-muted" });
    if (at.over) words.push({ x: 0, y: at.top + 27, text: "not seen", class: "ll-muted" });
  } else words.push({ x: 0, y: at.top + 27, text: "The text is empty: there is nothing to attend to.", class: "ll-muted" });
  const { x, y, small, step } = at.maps;
  const number = (x, y, text, anchor) => {
    words.push({ x, y, text, class: "ll-muted", "text-anchor": anchor, "font-size": 11 });
  };
  range(Math.max(...heads)).forEach((h) => number(x + h * step + small / 2, y - 7, h + 1, "middle"));
  heads.forEach((_, l) => number(x - 7, y + l * step + small / 2 + 4, l + 1, "end"));
  texts(view.words, words);
}

const tokenX = (at, i) => at.x0 + (i + 0.5) * at.size;

function drawTokens(view, now, at) {
  const { T, t, chosen, labels, names, weights, mask, before, length } = now;
  // what the model does not see, the last of it
  const shown = before.slice(before.length - at.over);
  if (length - T > at.over) shown[0] = "…";
  texts(view.skipped, shown.map((label, k) => {
    const text = fitting(label, SKIPPED);
    return { x: at.x0 - 6 - (at.over - k - 0.5) * SKIPPED, y: at.top + 27, text, class: "ll-muted", "text-anchor": "middle",
      "font-size": letters(text, 14, SKIPPED) };
  }));
  const make = () => svg("g", { role: "option" },
    ...["at-hit", "at-base", "at-tint"].map((part) => svg("rect", { class: part })),
    ...["at-sign", "at-weight"].map((part) => svg("text", { class: part })));
  pool(view.tokens, T, make).forEach((element, i) => {
    const [hit, base, tint, sign, weight] = element.childNodes;
    const x = at.x0 + i * at.size;
    const off = mask && i > t;
    const box = { x: x + 1.5, y: at.top, width: at.size - 3, height: BOX, rx: Math.min(5, at.size / 7) };
    change(element, { class: `at-token${i === t ? " at-now" : ""}${off ? " at-off" : ""}`, "data-t": i,
      tabindex: i === chosen ? 0 : -1, "aria-selected": String(i === chosen),
      "aria-label": `position ${i + 1}, ${names[i]}: ${off ? "masked" : `weight ${two(weights[i])}`}` });
    change(hit, { x, y: at.top - 6, width: at.size, height: BOX + 12 });
    change(base, box);
    const percent = (100 * shade(weights[i])).toFixed(1);
    change(tint, { x: x + 3, y: at.top + 26, width: at.size - 6, height: BOX - 27.5, rx: Math.min(3, at.size / 8),
      style: `fill: color-mix(in srgb, var(--ll-attention) ${percent}%, var(--ll-paper))`, display: off ? "none" : null });
    const label = fitting(labels[i], at.size);
    change(sign, { x: x + at.size / 2, y: at.top + 19, text: label, "font-size": letters(label, 16, at.size) });
    const size = at.size >= 34 ? 12 : at.size >= 24 ? 10 : 0;
    const text = off || !size ? "" : two(weights[i]);
    change(weight, { x: x + at.size / 2, y: at.top + 40, text, "font-size": size || null });
  });
}

// from the token that listens to those that it hears: above by the attention, below by the average
function drawArcs(view, { T, t, weights, average }, at) {
  const arc = (i, y, rise) => {
    const [from, to] = [tokenX(at, t), tokenX(at, i)];
    if (i === t) {
      const [near, far] = [Math.min(9, at.size / 4), Math.min(28, at.size * 0.5)];
      return `M${from - near} ${y}C${from - far} ${y - rise * 0.45} ${from + far} ${y - rise * 0.45} ${from + near} ${y}`;
    }
    const share = Math.abs(i - t) / Math.max(1, T - 1);
    const high = (rise * (0.26 + 0.7 * share)) / 0.75; // a curve of this kind rises to 3/4 of its control points
    return `M${from} ${y}C${from} ${y - high} ${to} ${y - high} ${to} ${y}`;
  };
  const lines = (group, row, y, rise, look) => {
    const heard = row ? range(T).filter((i) => row[i] >= 0.005) : [];
    pool(group, heard.length, () => svg("path")).forEach((path, k) => {
      change(path, { d: arc(heard[k], y, rise), "data-i": heard[k], ...look(row[heard[k]]) });
    });
  };
  const thick = Math.min(9, at.size * 0.5);
  const look = (weight) => (
    { "stroke-width": (1 + thick * weight).toFixed(2), "stroke-opacity": (0.35 + 0.6 * weight).toFixed(3) });
  lines(view.arcs, weights, at.top - 2, ARCS - 6, look);
  lines(view.bows, T ? average[t] : null, at.top + BOX + 2, -BOWS, () => ({ "stroke-width": at.size < 24 ? 0.7 : 1.4 }));
}

function drawMap(view, now, at) {
  const { T, t, under, labels, mask, maps, layer, head, chosen, names } = now;
  const { x, y, cell, side } = at.map;
  const size = cell < 9 ? 12 : Math.min(13, cell + 1);
  const sign = (x, y, i, anchor) => {
    const label = fitting(labels[i], anchor === "end" ? 22 : cell);
    return { x, y, text: label, "text-anchor": anchor, class: i === t && anchor === "end" ? "at-strong" : null,
      "font-size": letters(label, size, cell < 9 ? 16 : cell + 4) };
  };
  const marked = under !== undefined && under !== null;
  // where letters are too small to read but two have a sign: the row that is looked at, the column under the pointer
  const some = (chosen) => range(T).filter((i) => cell >= 9 || i === chosen);
  const middle = (start, i) => start + (i + 0.5) * cell;
  texts(view.signs, [...some(under).map((i) => sign(middle(x, i), y - 7, i, "middle")),
    ...some(t).map((i) => sign(x - 7, middle(y, i) + size * 0.34, i, "end"))]);
  const map = T ? maps[layer - 1][head - 1] : [];
  const heard = (p) => range(mask ? p + 1 : T);
  const number = { "font-size": Math.min(12, cell * 0.34).toFixed(1) };
  texts(view.numbers, cell < 27 ? [] : range(T).flatMap((p) => heard(p).map((i) => (
    { x: middle(x, i), y: middle(y, p) + 4, text: two(map[p][i]), ...number }))));
  const steps = range(T).map((p) => `V${y + p * cell}H${x + (p + 1) * cell}`).join("");
  change(view.stairs, { d: !T ? "" : `M${x} ${y}${mask ? `${steps}V${y + side}` : `H${x + side}V${y + side}`}H${x}Z` });
  change(view.row, { display: T ? null : "none", x: x - 1, y: y + t * cell - 1, width: side + 2, height: cell + 2 });
  change(view.cell, { display: marked ? null : "none", x: x + (under ?? 0) * cell, y: y + t * cell, width: cell, height: cell });
  pool(view.rows, T, () => svg("rect", { role: "option", class: "at-pick" })).forEach((element, p) => {
    change(element, { x: x - ROW_SIGN, y: y + p * cell, width: side + ROW_SIGN, height: cell, "data-row": p,
      tabindex: p === chosen ? 0 : -1, "aria-selected": String(p === chosen), "aria-label": `position ${p + 1}, ${names[p]}` });
  });
}

function drawSmall(view, { heads, layer, head }, at) {
  const { x, y, small, step } = at.maps;
  pool(view.small, heads.length, () => svg("g", { role: "row" })).forEach((row, l) => {
    pool(row, heads[l], () => svg("rect", { role: "gridcell", class: "at-frame" })).forEach((cell, h) => {
      const now = l === layer - 1 && h === head - 1;
      change(cell, { x: x + h * step - 0.5, y: y + l * step - 0.5, width: small + 1, height: small + 1,
        class: `at-frame at-small${now ? " at-chosen" : ""}`, "data-layer": l + 1, "data-head": h + 1, tabindex: now ? 0 : -1,
        "aria-selected": String(now), "aria-label": `layer ${l + 1}, head ${h + 1}` });
    });
  });
}

// -- the maps' cells are the pixels of a canvas, made larger -------------------------------------------------------

// how much of the colour a weight gets: the root, so that small ones can be seen
const shade = (weight) => 0.85 * Math.sqrt(weight);

function drawCanvases(view, now, at) {
  const { T, t, maps, average, mask, layer, head } = now;
  const { map, maps: all, mean } = at;
  const places = [];
  if (T) {
    places.push([maps[layer - 1][head - 1], map.x, map.y, map.side], [average, mean.x, mean.y, mean.side]);
    const [x, y] = [(h) => all.x + h * all.step, (l) => all.y + l * all.step];
    maps.forEach((layer, l) => layer.forEach((weights, h) => places.push([weights, x(h), y(l), all.small])));
  }
  while (view.canvases.length < places.length) view.canvases.push(html("canvas", { "aria-hidden": "true" }));
  view.canvases.forEach((canvas, k) => {
    if (k >= places.length) return canvas.remove();
    const [weights, x, y, side] = places[k];
    if (!canvas.isConnected) view.picture.prepend(canvas);
    change(canvas, { style: `left: ${x}px; top: ${y}px; width: ${side}px; height: ${side}px` });
    if (view.painted.get(canvas) !== weights) paintMap(canvas, weights, mask, colors(view.picture));
    view.painted.set(canvas, weights);
  });
  const [display, high] = [T ? null : "none", mean.side / Math.max(T, 1)];
  change(view.meanFrame, { display, x: mean.x - 0.5, y: mean.y - 0.5, width: mean.side + 1, height: mean.side + 1 });
  change(view.meanRow, { display, x: mean.x - 1, y: mean.y + t * high - 1, width: mean.side + 2, height: high + 2 });
}

// the colours as numbers from 0 to 255; base.css has them
let palette = null;
function colors(element) {
  const look = getComputedStyle(element);
  const parts = (name) => [1, 3, 5].map((k) => parseInt(look.getPropertyValue(name).trim().slice(k, k + 2), 16));
  return palette ??= { green: parts("--ll-attention"), grid: parts("--ll-grid"), paper: parts("--ll-paper") };
}

function paintMap(canvas, weights, mask, { green, grid, paper }) {
  const T = weights.length;
  if (canvas.width !== T) put(canvas, { width: T, height: T });
  const context = canvas.getContext("2d", { willReadFrequently: true }); // so small that the graphics card is a detour
  const image = context.createImageData(T, T);
  let at = 0;
  for (let p = 0; p < T; p++) {
    for (let i = 0; i < T; i++) {
      const off = mask && i > p;
      const share = off ? 0.55 : shade(weights[p][i]);
      const color = off ? grid : green;
      for (let c = 0; c < 3; c++) image.data[at++] = share * color[c] + (1 - share) * paper[c]; // it is rounded there
      image.data[at++] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

// the most probable next characters after the token that is looked at
function drawNext(view, { T, likely }, at) {
  const { x, y, width } = at.bars;
  const make = () => svg("g", {}, svg("text", { "text-anchor": "end", class: "at-sign" }),
    svg("rect", { class: "at-bar", rx: 2 }), svg("text"));
  pool(view.bars, T ? likely.length : 0, make).forEach((group, k) => {
    const [sign, bar, number] = group.childNodes;
    const { label, chance } = likely[k];
    const top = y + 12 + k * BAR;
    change(sign, { x: x + 34, y: top + 14, text: label, "font-size": letters(label, 14, 34) });
    change(bar, { x: x + 44, y: top + 1, width: Math.max(1, chance * (width - 86)).toFixed(1), height: BAR - 6 });
    change(number, { x: (x + 50 + chance * (width - 86)).toFixed(1), y: top + 14, text: two(chance) });
  });
}
