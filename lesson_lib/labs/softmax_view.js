// The softmax lab's picture: its elements are made once, and moved on each drawing.

const ZONE = 40; // left of each track, for minus infinity
const NARROWEST = 420; // and the labels
const MAP = 300; // how wide the map of derivatives is beside the logits

// how wide the widest label is in bold, in pixels
function widest(labels, font) {
  const brush = html("canvas").getContext("2d");
  brush.font = `700 12.5px ${font}`;
  return Math.max(...labels.map((label) => brush.measureText(label).width));
}

// where everything is: it depends on the width and the labels alone, so that nothing jumps
function layout(width, n, long, reach) {
  const [full, wide] = [Math.max(NARROWEST + long, width), width >= 840 + 2 * long];
  const left = wide ? full - MAP - 30 : full;
  const row = Math.max(30, Math.min(46, 300 / n));
  const side = 10 + long; // for the labels at the left of the map

  const map = { left: (wide ? full - MAP : 0) + side, row: wide ? row : Math.max(28, 0.8 * row) };
  map.cell = Math.min((full - map.left - 2) / n, wide ? 62 : 84);
  map.upright = long > map.cell - 4; // labels that stand on end
  map.head = map.upright ? long - 8 : 0;
  map.right = map.left + n * map.cell;
  const top = 70 + (wide ? map.head : 0);
  const foot = top + n * row;
  map.title = wide ? 14 : foot + 100;
  map.top = wide ? top : map.title + 50 + map.head;
  map.foot = map.top + n * map.row;
  // its scale goes to its right, where there is room, else below it
  const beside = !wide && full - map.right > 210;
  map.scale = beside ? { x: map.right + 28, y: map.top + 14, width: 170 } : { x: map.left, y: map.foot + 22, width: n * map.cell };

  const [tight, more] = [left < 600, reach < 10 ? 0 : 8]; // more for numbers of three digits
  const [gap, value, scaled, power, number] = tight ? [5, 42 + more, 44 + more, 62, 58] : [12, 42 + more, 58, 62, 64];
  const name = 12 + long;
  const room = left - name - ZONE - value - scaled - power - number - 5 * gap;
  const track = { left: name + ZONE, width: Math.round(0.6 * room) };
  const ends = [track.left + track.width + gap + value];
  ends.push(ends[0] + gap + scaled, ends[0] + 2 * gap + scaled + power); // where the columns of numbers end
  const bar = { left: ends[2] + 2 * gap, width: room - track.width };
  return {
    full, wide, left, row, track, ends, bar, top, foot, map, number: bar.left + bar.width + number,
    meter: { x: 170, y: foot + 29, width: Math.min(260, left - 270) },
    height: Math.max(foot + 74, map.foot + (beside ? 4 : 62)),
  };
}

// -- the elements -----------------------------------------------------------------------------------

function build(picture, labels) {
  const id = `ll-${Math.random().toString(36).slice(2)}`;
  const pattern = svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("path", { class: "sm-hatch", d: "M1 0V6" }));
  const [back, middle, front] = Array.from({ length: 3 }, () => svg("g"));
  picture.append(svg("defs", {}, pattern), back, middle, front);
  const onto = (layer, tag, attributes) => {
    const element = svg(tag, attributes);
    layer.append(element);
    return element;
  };
  const hatched = (layer) => onto(layer, "rect", { fill: `url(#${id})` });
  const words = (kind, text = "") => onto(front, "text", { class: kind, text });

  const tile = onto(back, "rect", { class: "sm-band", rx: 4 });
  const rows = labels.map((label) => ({
    band: onto(back, "rect", { class: "sm-band", rx: 4 }),
    track: onto(back, "rect", { class: "sm-track", rx: 3 }),
    hatch: hatched(back),
    whole: onto(back, "rect", { class: "sm-track", rx: 3 }),
    bar: onto(middle, "rect", { class: "sm-logit" }),
    prob: onto(middle, "rect", { class: "sm-prob" }),
    name: words("sm-name", label),
    masked: words("sm-note ll-halo", "masked"),
    value: words("sm-number"),
    scaled: words("sm-number"),
    power: words("sm-number"),
    share: words("sm-number sm-strong sm-share"),
  }));
  const map = labels.map(() => labels.map(() => (
    { box: onto(middle, "rect"), hatch: hatched(middle), text: words("sm-entry ll-halo") })));
  const lines = Object.fromEntries(["grid", "zero", "equal", "column", "most"].map((name) =>
    [name, onto(name === "grid" ? back : middle, "path", { class: `sm-${name}` })]));
  const knobs = labels.map(() => onto(middle, "circle", { class: "sm-knob" }));
  return {
    picture, tile, rows, map, lines, knobs,
    heads: labels.map((label) => words("sm-head", label)),
    sides: labels.map((label) => words("sm-side", label)),
    scale: Array.from({ length: 20 }, () => ({ box: onto(middle, "rect"), hatch: hatched(middle) })),
    meter: onto(middle, "rect", { class: "sm-track", rx: 3 }),
    filled: onto(middle, "rect", { class: "sm-entropy", rx: 3 }),
    words: onto(front, "g", {}),
  };
}

const show = (element, visible, attributes) => change(element, visible ? { display: null, ...attributes } : { display: "none" });

// -- drawing ----------------------------------------------------------------------------------------

function drawAll(view, now) {
  change(view.picture, { width: now.place.full, height: now.place.height });
  drawWords(view, now);
  drawRows(view, now);
  drawMap(view, now);
  drawEntropy(view, now);
}

// what stands alone: the formulas, the titles, the scales. In `parts` a list is a superscript
function drawWords({ words }, now) {
  const { place, timesEight, temperature, plusHundred, subtractLargest, largest, sum, reach, open, entropy, whole } = now;
  const { track, ends, bar, top, foot, number, map, meter } = place;
  const { scale } = map;
  const factor = `${timesEight ? "8 · " : ""}z${temperature === 1 ? "" : ` ÷ ${digits(temperature, 4)}`}`;
  const unsure = whole && Math.exp(entropy).toFixed(1);
  const said = [];
  const say = (x, y, kind, ...parts) => said.push({ x, y, kind, parts });

  say(0, 14, "sm-formula", `s = ${factor}${plusHundred ? " + 100" : ""}`);
  const most = !open.length ? "max" : largest < 0 ? `(${logit(largest)})` : logit(largest);
  say(Math.max(190, track.left + track.width), 14, "sm-formula", "p = e", [subtractLargest ? `s − ${most}` : "s"], ` ÷ their sum, ${magnitude(sum)}`);
  say(track.left + track.width / 2, top - 28, "sm-title", "logits z");
  say(ends[1], top - 28, "sm-title sm-end", "s");
  say(ends[2], top - 28, "sm-title sm-end", "e", [subtractLargest ? "s − max" : "s"]);
  say((bar.left + number) / 2, top - 28, "sm-title", "probabilities p");
  say(track.left - ZONE / 2 - 3, top - 8, "sm-tick", "−∞");
  say(track.left - 6, top - 8, "sm-tick sm-begin", `−${reach}`);
  [0, reach].forEach((z, i) => say(track.left + ((i + 1) * track.width) / 2, top - 8, "sm-tick", String(z)));
  [0, 1].forEach((p) => say(bar.left + p * bar.width, top - 8, "sm-tick", String(p)));
  if (open.length > 1) say(bar.left + bar.width / open.length, foot + 13, "sm-tick", `1/${open.length}`);

  say(0, meter.y + 12, "sm-strong", `entropy H = ${whole ? `${entropy.toFixed(2)} nats` : "nan"}`);
  if (open.length) say(meter.x + meter.width + 10, meter.y + 12, "", `ln ${open.length} = ${Math.log(open.length).toFixed(2)}`);
  if (whole) say(0, meter.y + 37, "", "e", ["H"], ` = ${unsure}: as unsure as among ${unsure} equal choices`);
  else say(0, meter.y + 37, "", "no shares, no entropy");

  const begin = place.wide ? place.full - MAP : 0;
  say(begin, map.title, "sm-title sm-begin", "derivative of each p (row)");
  say(begin, map.title + 18, "sm-title sm-begin", "with respect to each s (column)");
  say(scale.x, scale.y, "", largestWords(now));
  say(scale.x, scale.y + 35, "sm-tick sm-begin", "−0.25");
  say(scale.x + scale.width / 2, scale.y + 35, "sm-tick", "0");
  say(scale.x + scale.width, scale.y + 35, "sm-tick sm-end", "0.25");

  pool(words, said.length, () => svg("text")).forEach((element, i) => {
    const { x, y, kind, parts } = said[i];
    change(element, { x: x.toFixed(1), y: y.toFixed(1), class: kind });
    const up = parts.map(Array.isArray);
    pool(element, parts.length, () => svg("tspan")).forEach((span, k) => change(span, {
      text: up[k] ? parts[k][0] : parts[k], class: up[k] && "sm-power", dy: up[k] ? -5 : up[k - 1] ? 5 : null,
    }));
  });
}

function drawRows({ rows, knobs, lines }, { place, masked, logits, scaled, exps, probs, reach, chosen, open }) {
  const { left, row, track, ends, bar, top, foot, number } = place;
  const [zero, unit] = [track.left + track.width / 2, track.width / (2 * reach)];
  const thick = Math.min(22, row - 12);
  rows.forEach((parts, i) => {
    const [y, off] = [top + i * row, masked[i]];
    const [inner, base, end] = [y + (row - thick) / 2, y + row / 2 + 4.5, zero + logits[i] * unit];
    const box = { x: track.left, y: inner, width: track.width, height: thick };
    show(parts.band, i === chosen, { x: 0, y: y + 1, width: left, height: row - 2 });
    change(parts.track, { ...box, class: off ? "sm-track sm-off" : "sm-track" });
    show(parts.hatch, off, box);
    show(parts.masked, off, { x: zero, y: base });
    show(parts.bar, !off, { ...box, x: Math.min(zero, end).toFixed(2), width: Math.abs(end - zero).toFixed(2) });
    change(knobs[i], {
      cx: (off ? track.left - ZONE / 2 - 3 : end).toFixed(2), cy: y + row / 2, r: 7, class: off ? "sm-knob sm-off" : "sm-knob",
    });
    change(parts.name, { x: 8, y: base, class: i === chosen ? "sm-name sm-strong" : "sm-name" });
    change(parts.value, { x: ends[0], y: base, text: off ? "−∞" : logit(logits[i]) });
    change(parts.scaled, { x: ends[1], y: base, text: logit(scaled[i]) });
    change(parts.power, { x: ends[2], y: base, text: magnitude(exps[i]) });
    change(parts.whole, { x: bar.left, y: inner, width: bar.width, height: thick });
    change(parts.prob, { x: bar.left, y: inner, width: ((probs[i] || 0) * bar.width).toFixed(2), height: thick });
    change(parts.share, { x: number - 4, y: base, text: share(probs, i) });
  });
  change(lines.zero, { d: open.map((i) => `M${zero} ${top + i * row}v${row}`).join("") });
  const grid = [track.left, track.left + track.width, bar.left, bar.left + bar.width];
  change(lines.grid, { d: grid.map((x) => `M${x} ${top}V${foot}`).join("") });
  show(lines.equal, open.length > 1, { d: `M${bar.left + bar.width / open.length} ${top}V${foot}` });
}

// how a derivative looks: orange above 0, grey and hatched below
function paint({ box, hatch }, place, d, kind = "") {
  const part = Math.min(1, Math.abs(d) / 0.25) || 0;
  change(box, { ...place, class: `${kind} ${d < 0 ? "sm-less" : "sm-more"}`, "fill-opacity": ((d < 0 ? 0.4 : 0.8) * part).toFixed(3) });
  change(hatch, { ...place, opacity: d < 0 ? (0.9 * part).toFixed(3) : 0 });
}

function drawMap({ map, heads, sides, scale, lines, tile }, { derivatives, place, chosen, labels }) {
  const { left, top, cell, row, head, upright } = place.map;
  const n = labels.length;
  map.forEach((line, i) => line.forEach((parts, j) => {
    const d = derivatives[i][j];
    const [x, y] = [left + j * cell, top + i * row];
    paint(parts, { x: x + 1, y: y + 1, width: cell - 2, height: row - 2 }, d, "sm-cell");
    show(parts.text, n <= 6, { x: x + cell / 2, y: y + row / 2 + 4.5, text: entry(d) });
  }));
  heads.forEach((element, j) => {
    const [x, y] = [left + (j + 0.5) * cell, top - 8];
    const look = { class: `sm-head${j === chosen ? " sm-strong" : ""}${upright ? " sm-upright" : ""}` };
    change(element, upright ? { ...look, transform: `translate(${x + 4} ${y}) rotate(-90)` } : { ...look, x, y });
  });
  sides.forEach((element, i) => change(element, { x: left - 7, y: top + (i + 0.5) * row + 4.5 }));
  // the column of the chosen logit
  const x = left + chosen * cell;
  change(tile, { x: x + 1, y: top - head - 22, width: cell - 2, height: head + 21 });
  change(lines.column, { d: `M${x} ${top}h${cell}v${row * n}h${-cell}z` });
  const step = place.map.scale.width / scale.length;
  scale.forEach((parts, k) => {
    const box = { x: place.map.scale.x + k * step, y: place.map.scale.y + 10, width: step, height: 11 };
    paint(parts, box, (k + 0.5) / 40 - 0.25);
  });
}

// the entropy as a bar, from 0 to the most there can be with so many logits; a line marks what is possible now
function drawEntropy({ meter, filled, lines }, { place, entropy, labels, open }) {
  const { x, y, width } = place.meter;
  const along = (nats) => ((width * nats) / Math.log(labels.length)).toFixed(2);
  change(meter, { x, y, width, height: 14 });
  change(filled, { x, y, width: along(entropy || 0), height: 14 });
  show(lines.most, open.length > 0, { d: `M${x + Number(along(Math.log(open.length)))} ${y - 4}v22` });
}
