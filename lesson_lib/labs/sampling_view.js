// How the sampling lab looks. Nothing here remembers a state of the lab.

const ROWS = 12; // candidates that are shown, and one more where the place has another
const PITCH = 22;
const STRIP = { y: 26, height: 22 };
const FIRST = 106; // where the first candidate begins
const HEIGHT = FIRST + (ROWS + 1) * PITCH + 44;
const BAR = 38; // where the bars begin
const COLUMNS = 168; // the room of the numbers and the mark, right of the bars
const PROMPT = 400; // of a longer prompt the end is shown

// a sign of several letters, such as 200D, must be smaller
const letters = (label, most, room) => Math.max(6, Math.min(most, room / (0.7 * Math.max(1, [...label].length)))).toFixed(1);

// everything that is drawn, made once
function build(stage) {
  const id = `ll-${Math.random().toString(36).slice(2)}`;
  const hatch = svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 2, height: 6, class: "sa-line" }));
  const text = (attributes) => svg("text", attributes);
  const view = {
    hatch: `url(#${id})`,
    title: text({ x: 0, y: 14, class: "sa-strong" }),
    strip: svg("g", { class: "sa-strip" }), frame: svg("rect", { class: "sa-frame" }),
    die: svg("path", { class: "sa-die" }), dieText: text({ class: "sa-small" }),
    headers: svg("g", { class: "sa-headers" }),
    rows: svg("g", { role: "listbox", "aria-label": "candidates: arrow keys go through them, Enter puts one into the text" }),
    foot: svg("g"),
    prompt: html("span", { class: "sa-prompt" }),
    written: html("span", { role: "listbox", "aria-orientation": "horizontal", class: "sa-written",
      "aria-label": "written text: arrow keys choose the place that is looked at" }),
    keys: [], // of each sign of the text, how it looks
  };
  view.text = html("div", { class: "sa-text" }, view.prompt, view.written);
  view.svg = svg("svg", { role: "group", "aria-label": "Candidates for this place", height: HEIGHT }, svg("defs", {}, hatch),
    view.title, view.strip, view.frame, view.die, view.dieText, view.headers, view.rows, view.foot);
  view.picture = html("div", { class: "sa-picture" }, view.text, view.svg);
  const key = (kind, words) => html("span", { class: "sa-item" }, html("span", { class: `sa-key ${kind}` }), words);
  const legend = html("p", { class: "sa-legend" },
    key("sa-key-now", "the place you look at"), key("sa-key-surprise", "how surprising: −ln of the model's own share"),
    key("sa-key-bar", "share now"), key("sa-key-own", "the model's own share"), key("sa-key-cut", "cut by top-k"));
  stage.append(view.picture, legend);
  return view;
}

function drawAll(view, now, width) {
  const beside = width >= 760;
  const room = beside ? Math.floor(width * 0.5) : width;
  put(view.picture, { class: beside ? "sa-picture sa-beside" : "sa-picture" });
  put(view.svg, { width: room });
  put(view.text, { style: beside ? `width: ${width - room - 24}px; height: ${HEIGHT}px` : `width: ${width}px; height: 150px` });
  drawText(view, now);
  drawStrip(view, now, room);
  drawRows(view, now, room);
}

// -- the text --------------------------------------------------------------------------------------------------

function drawText(view, { promptIds, ids, place, labels, names, surprises }) {
  const shown = promptIds.slice(-PROMPT);
  const looks = shown.map((id, i) => ({ id, text: i === 0 && promptIds.length > PROMPT ? "…" : null }));
  fill(view.prompt, looks, labels, names, view, 0);
  const signs = ids.map((id, i) => ({ id, option: i, now: i === place, surprise: surprises[i] }));
  fill(view.written, [...signs, { id: null, option: ids.length, now: ids.length === place }], labels, names, view, PROMPT);
  const now = view.written.childNodes[place];
  const { offsetTop, offsetHeight } = now; // within the box of the text
  const { scrollTop, clientHeight } = view.text;
  if (offsetTop < scrollTop + 4) view.text.scrollTop = offsetTop - 12;
  else if (offsetTop + offsetHeight + 4 > scrollTop + clientHeight) view.text.scrollTop = offsetTop + offsetHeight + 12 - clientHeight;
}

// one element for each sign of the text; what looks as it did is left alone
function fill(parent, looks, labels, names, view, from) {
  const elements = pool(parent, looks.length, () => html("span"));
  looks.forEach(({ id, text, option, now, surprise }, i) => {
    const high = surprise ? Math.min(9, Math.round(3 * surprise) / 2) : 0;
    const key = `${id} ${text} ${option} ${now} ${high}`;
    if (lastPut.get(elements[i]) === key) return;
    lastPut.set(elements[i], key);
    const label = id === null ? "\u2003" : text ?? labels[id];
    const kind = id === null ? " sa-end" : label === "⏎" || label === "␣" ? " sa-blank" : [...label].length > 2 ? " sa-code" : "";
    put(elements[i], { text: label === "⏎" ? "⏎\n" : label, class: `sa-sign${kind}${now ? " sa-now" : ""}`,
      style: high ? `--sa-high: ${high}px` : null });
    if (option === undefined) return;
    put(elements[i], { role: "option", "data-place": option, tabindex: now ? 0 : -1, "aria-selected": String(Boolean(now)),
      "aria-label": id === null ? "the next place" : names[id] });
  });
}

// -- the die, and the chances in a row ----------------------------------------------------------------------------

function drawStrip(view, { order, chances, falls, die, labels, place, length }, width) {
  put(view.title, { text: place === length ? "the next character" : `character ${place + 1} of ${length}` });
  const segments = [];
  let x = 0;
  for (const id of order) {
    const wide = chances[id] * width;
    if (wide > 0 && (wide >= 1 || id === falls)) segments.push({ id, x, wide });
    x += wide;
  }
  const make = () => svg("g", {}, svg("rect"), svg("text"));
  pool(view.strip, segments.length, make).forEach((group, k) => {
    const [box, sign] = group.childNodes;
    const { id, x, wide } = segments[k];
    change(box, { x: x.toFixed(2), y: STRIP.y, width: Math.max(1, wide).toFixed(2), height: STRIP.height,
      class: id === falls ? "sa-hit" : k % 2 ? "sa-odd" : "sa-even" });
    change(sign, { x: (x + wide / 2).toFixed(2), y: STRIP.y + (labels[id] === "␣" ? 13 : 15), text: wide >= 13 ? labels[id] : "",
      "font-size": letters(labels[id], 13, wide - 2) });
  });
  change(view.frame, { x: 0.5, y: STRIP.y + 0.5, width: width - 1, height: STRIP.height - 1 });
  const at = die * width;
  const foot = STRIP.y + STRIP.height;
  change(view.die, { d: `M${at.toFixed(2)} ${foot - 3}l5.5 11h-11Z` });
  const right = at > width - 90;
  change(view.dieText, { x: (at + (right ? -9 : 9)).toFixed(2), y: foot + 12, "text-anchor": right ? "end" : "start",
    text: `the die: ${two(die)}` });
}

// -- the candidates -------------------------------------------------------------------------------------------------

function drawRows(view, { order, chances, own, cut, here, falls, labels, names, place, length, row }, width) {
  const full = width - BAR - COLUMNS;
  const at = { share: BAR + full + 52, own: BAR + full + 98, mark: BAR + full + 106 };
  const listed = order.slice(0, ROWS);
  for (const id of [here, falls]) if (!listed.includes(id)) listed[Math.min(listed.length, ROWS)] = id;
  const words = [[at.share, "share"], [at.own, "own"]];
  pool(view.headers, words.length, () => svg("text", { class: "ll-muted", y: FIRST - 8, "text-anchor": "end" }))
    .forEach((element, k) => change(element, { x: words[k][0], text: words[k][1] }));
  const make = () => svg("g", { role: "option" }, svg("rect", { class: "sa-back" }), svg("text", { class: "sa-letter" }),
    svg("rect", { class: "sa-bar" }), svg("rect", { class: "sa-own" }), ...[0, 1, 2].map(() => svg("text")));
  pool(view.rows, listed.length, make).forEach((group, k) => {
    const [back, letter, bar, outline, share, itself, mark] = group.childNodes;
    const id = listed[k];
    const y = FIRST + k * PITCH;
    const gone = chances[id] === 0;
    const tag = marking({ here: id === here, falls: id === falls, end: place === length });
    change(group, { class: `sa-row${id === here ? " sa-here" : ""}${gone ? " sa-gone" : ""}`, "data-id": id,
      tabindex: k === Math.min(row, listed.length - 1) ? 0 : -1, "aria-selected": String(id === here),
      "aria-label": `${names[id]}, ${gone ? "cut by top-k" : `share ${part(chances[id])}`}, own share ${part(own[id])}${tag && `, ${tag.slice(2)}`}` });
    change(back, { x: 1, y, width: width - 2, height: PITCH - 1, rx: 3 });
    change(letter, { x: 18, y: y + (labels[id] === "␣" ? 12 : 15), text: labels[id], "font-size": letters(labels[id], 15, 28) });
    change(bar, { x: BAR, y: y + 4, width: (chances[id] * full).toFixed(2), height: PITCH - 9 });
    change(outline, { x: BAR + 0.5, y: y + 4.5, width: Math.max(0.5, own[id] * full).toFixed(2), height: PITCH - 10,
      style: gone ? `fill: ${view.hatch}` : null });
    change(share, { x: at.share, y: y + 15, text: gone ? "cut" : brief(chances[id]), "text-anchor": "end" });
    change(itself, { x: at.own, y: y + 15, text: brief(own[id]), "text-anchor": "end", class: "ll-muted" });
    change(mark, { x: at.mark, y: y + 15, text: tag, class: "sa-small" });
  });
  const others = order.filter((id) => !listed.includes(id));
  const left = add(others.map((id) => chances[id]));
  const lost = others.filter((id) => chances[id] === 0).length;
  const say = `${others.length === 1 ? "1 other" : `${others.length} others`}, together ${part(left)}`;
  const lines = [others.length ? say + (lost ? `; ${lost === others.length ? "all" : lost} of them cut` : "") : "and no other",
    cut ? `top-k leaves ${order.length - cut} of ${order.length}` : `all ${order.length} can come`];
  pool(view.foot, 2, () => svg("text", { class: "ll-muted" })).forEach((element, k) => {
    change(element, { x: BAR, y: FIRST + (ROWS + 1) * PITCH + 16 + 18 * k, text: lines[k] });
  });
}

const brief = (value) => (value < 0.005 && value > 0 ? "<0.01" : two(value));

function marking({ here, falls, end }) {
  if (here) return end ? "◂ next" : falls ? "◂ drawn" : "◂ in text";
  return falls ? "▴ die" : "";
}
