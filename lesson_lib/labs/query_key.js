// The query–key lab: what can be moved. query_key_words.js computes and says, query_key_view.js draws.

function render(page) {
  const lab = frame(page, "query_key", draw);
  const [labels, names, reach] = ["labels", "names", "reach"].map(lab.get);
  const T = labels.length;
  const tokens = range(T);
  const reachOf = (kind) => reach[kind === "value" ? 1 : 0];

  // -- the picture of the arrows, made once ------------------------------------------------------------------

  const id = `ll-${Math.random().toString(36).slice(2)}`;
  const hatch = `url(#${id})`;
  const pattern = svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 6, height: 6, class: "qk-blank" }), svg("line", { x1: 0, x2: 0, y1: 0, y2: 6, class: "qk-hatching" }));
  const picture = svg("svg", { role: "group", "aria-label": "Queries and keys, weights, values" }, svg("defs", {}, pattern));
  lab.stage.append(picture);
  const wide = ruler(lab.stage);
  const fitted = (label, room = 54) => cut(label, room, wide);
  // below that many pixels the picture scrolls
  const least = T > 4 || labels.some((label) => wide(label) > 26) ? 520 : 420;
  const keyPlane = arrows(picture, wide);
  const drawTable = scoreTable(picture, T, hatch);
  const drawMap = weightMap(picture, T, hatch);
  const valuePlane = arrows(picture, wide);
  const glow = svg("line", { class: "qk-glow" });
  const arc = svg("path", { class: "qk-arc" });
  keyPlane.below.append(glow, arc);
  const links = svg("g", { class: "qk-links" });
  const target = svg("path", { class: "qk-target", d: "M0-12L12 0L0 12L-12 0Z" });
  const [sumGlow, sum] = [svg("line", { class: "qk-glow" }), svg("line", { class: "qk-line qk-out" })];
  valuePlane.below.append(sumGlow, links, sum);
  valuePlane.above.append(target);

  const handle = (kind, i) => {
    const tip = svg("g", { tabindex: 0, role: "application", "aria-roledescription": "arrow to move", "data-kind": kind, "data-i": i },
      svg("circle", { class: "qk-touch", r: 14 }), svg("circle", { class: "qk-ring", r: 13 }), svg("path", { class: "qk-head-path" }));
    (kind === "value" ? valuePlane : keyPlane).tips.append(tip);
    return tip;
  };
  const keyTips = tokens.map((i) => handle("key", i));
  const queryTip = handle("query", -1);
  const valueTips = tokens.map((i) => handle("value", i));

  // -- controls of the arrows, right below them ----------------------------------------------------------------

  const asks = tokens.map((t) => put(button(lab, { label: labels[t], press: () => lab.set({ row: t }) }), { "aria-label": `query of ${names[t]}` }));
  const group = html("div", { class: "qk-asks", role: "group", "aria-label": "whose query" }, html("span", { text: "query of", class: "qk-strong" }), ...asks);
  const switches = [["mask the future", "mask"], ["divide by √head_size", "divide"]].map(([label, name]) => toggle(lab, { label, name }).parentElement);
  const turn = button(lab, { label: "Turn the key to the query", press: align });
  const again = button(lab, { label: "Start again", press: () => lab.set(lab.get("start")) });
  const words = html("p", { class: "qk-words", "aria-live": "polite", id: `${id}-words` });
  lab.stage.append(
    html("p", { class: "qk-hint", text: "Drag the tip of an arrow, or choose one with Tab and move it with the arrow keys (with Shift in small steps). A click on a row of the table chooses its key." }),
    html("div", { class: "ll-controls" }, group, ...switches, html("div", { class: "qk-asks" }, turn, again)), words,
  );

  // -- the experiment ---------------------------------------------------------------------------------------------

  const trial = svg("svg", { role: "img", "aria-labelledby": `${id}-trial`, class: "qk-trial" });
  lab.stage.append(html("p", { class: "ll-title qk-second", id: `${id}-trial`,
    text: `Why divide: the scores of ${PAIRS.toLocaleString("en")} random queries and keys` }), trial, html("p", { class: "qk-hint",
    text: `Blue: how often each score was there. Green: the ${GROUP} weights of a softmax, the largest first, on average over ${PAIRS / GROUP} of them.` }));
  const drawTrial = histograms(trial);
  slider(lab, { label: "head_size", name: "head_size", min: 0, max: Math.log2(MOST), position: Math.log2, value: (power) => 2 ** power });
  button(lab, { label: "Draw other numbers", press: () => lab.set({ seed: lab.get("seed") + 1 }) });
  lab.follow("query key value row column seed", lab.redraw);
  const root = lab.stage.parentElement;
  put(root, { "aria-describedby": `${words.id} ${root.getAttribute("aria-describedby")}` });

  // -- moving an arrow -------------------------------------------------------------------------------------------

  const grid = (kind) => reachOf(kind) / 16;
  // onto the grid, and not beyond the circle
  function settle(vector, kind, step) {
    const onto = (value) => Number((Math.round(value / step) * step).toPrecision(9)) + 0;
    const found = vector.map(onto);
    const far = length(found) / reachOf(kind);
    return far <= 1 ? found : found.map((value) => Number((Math.trunc(value / far / step + Math.sign(value) * 1e-9) * step).toPrecision(9)) + 0);
  }
  function move(kind, i, vector) {
    const table = lab.get(kind).map((one) => [...one]);
    if (table[i].every((value, c) => value === vector[c])) return;
    table[i] = vector;
    lab.set({ [kind]: table });
  }
  // the key that is looked at gets the direction of the query, and stays as long as it is
  function align() {
    const [q, i] = [lab.get("query")[lab.get("row")], lab.get("column")];
    const far = length(lab.get("key")[i]) / length(q);
    if (length(q)) move("key", i, q.map((value) => value * far));
  }
  const tokenOf = (tip) => (tip.dataset.kind === "query" ? lab.get("row") : Number(tip.dataset.i));
  const look = (tip) => tip.dataset.kind === "key" && tokenOf(tip) !== lab.get("column") && lab.set({ column: tokenOf(tip) });

  const taken = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  let drag = null;
  for (const tip of [...keyTips, queryTip, ...valueTips]) {
    const kind = tip.dataset.kind;
    lab.listen(tip, "focus", () => look(tip));
    lab.listen(tip, "keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !STEPS[event.key]) return;
      taken(event);
      const step = grid(kind) / (event.shiftKey ? 5 : 1);
      const [i, way] = [tokenOf(tip), STEPS[event.key]];
      const before = lab.get(kind)[i];
      const after = before.map((value, c) => (way[c] ? Number((Math.round(value / step + way[c]) * step).toPrecision(9)) + 0 : value));
      if (length(after) <= reachOf(kind)) move(kind, i, after);
    });
  }
  lab.listen(picture, "pointerdown", (event) => {
    const hit = event.target.closest?.(".qk-tip");
    if (event.button) return;
    const [row, column] = ["row", "column"].map((name) => event.target.closest?.(`[data-${name}]`)?.dataset[name]);
    if (row !== undefined) return lab.set({ row: Number(row), column: Number(column) });
    if (column !== undefined) return lab.set({ column: Number(column) });
    if (!hit) return;
    event.preventDefault();
    // where tips lie over each other it is the nearest one that is meant
    const [plane, tips] = hit.dataset.kind === "value" ? [valuePlane, valueTips] : [keyPlane, [queryTip, ...keyTips]];
    const [px, py] = pointer(event);
    const away = (tip) => {
      const [x, y] = plane.at(lab.get(tip.dataset.kind)[tokenOf(tip)]);
      return Math.hypot(px - x, py - y);
    };
    const tip = tips.reduce((best, one) => (away(one) < away(best) - 1 ? one : best), hit);
    const [x, y] = plane.at(lab.get(tip.dataset.kind)[tokenOf(tip)]);
    drag = { tip, plane, kind: tip.dataset.kind, i: tokenOf(tip), dx: x - px, dy: y - py };
    tip.focus({ preventScroll: true });
    look(tip);
    tip.setPointerCapture(event.pointerId);
  });
  const pointer = (event) => {
    const { left, top } = picture.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  lab.listen(picture, "pointermove", (event) => {
    if (!drag) return;
    const [px, py] = pointer(event);
    const step = grid(drag.kind) / (event.shiftKey ? 5 : 1);
    move(drag.kind, drag.i, settle(drag.plane.back(px + drag.dx, py + drag.dy), drag.kind, step));
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) lab.listen(picture, end, () => { drag = null; });

  // -- drawing ----------------------------------------------------------------------------------------------------

  let [products, drawn] = [null, -1];
  let tried = ""; // what the experiment's picture shows

  function draw(width) {
    const state = Object.fromEntries(["query", "key", "value", "row", "column", "mask", "divide"].map((name) => [name, lab.get(name)]));
    const now = { ...state, ...attend(state), labels, names };
    const at = measure(width, T, least);
    drawKeys(now, at);
    drawValues(now, at);
    drawTable(at.table, now, fitted);
    drawMap(at.map, now, fitted);
    change(picture, { width: at.width, height: at.height });
    asks.forEach((ask, t) => change(ask, { "aria-pressed": String(t === now.row) }));
    change(turn, { "aria-disabled": length(now.query[now.row]) && length(now.key[now.column]) ? null : "true" });
    put(words, { text: [arrowWords(now), keyWords(now)].filter(Boolean).join(" ") });

    const [size, seed] = [lab.get("head_size"), lab.get("seed")];
    if (tried === `${width} ${size} ${seed}`) return;
    tried = `${width} ${size} ${seed}`;
    if (drawn !== seed) [products, drawn] = [drawer(seed), seed];
    const found = experiment(products(size), size);
    change(trial, drawTrial(Math.max(width, least), size, found));
    lab.say(experimentWords(size, found));
  }

  const named = (sign, label) => `${sign}(\u2068${label}\u2069)`;
  function drawKeys({ query, key, row, column, mask }, at) {
    keyPlane.place(at.keys, reach[0], `keys, and query of \u2068${fitted(labels[row])}\u2069`);
    const [q, k] = [query[row], key[column]];
    const [[ox, oy], [x, y]] = [keyPlane.at([0, 0]), keyPlane.at(q)];
    change(glow, { x1: ox, y1: oy, x2: x, y2: y });
    // the arc between the query and the key that is looked at
    const shown = length(q) && length(k) && angle(q, k) > 2;
    const r = 24;
    const [from, to] = [q, k].map((v) => [ox + (r * v[0]) / (length(v) || 1), oy - (r * v[1]) / (length(v) || 1)].map((value) => value.toFixed(3)).join(" "));
    change(arc, { display: shown ? null : "none", d: `M${from}A${r} ${r} 0 0 ${q[0] * k[1] - q[1] * k[0] > 0 ? 0 : 1} ${to}` });
    keyPlane.draw([
      ...tokens.map((i) => ({ vector: key[i], kind: "key", tip: keyTips[i], text: named("k", fitted(labels[i])), name: `key of ${names[i]}`,
        chosen: i === column, look: `${mask && i > row ? " qk-off" : ""}${i === column ? " qk-chosen" : ""}` })),
      { vector: q, kind: "query", tip: queryTip, text: named("q", fitted(labels[row])), name: `query of ${names[row]}`, look: " qk-strong", chosen: false },
    ]);
  }

  function drawValues({ value, row, weights, out, mask }, at) {
    valuePlane.place(at.values, reach[1], `values, and output of \u2068${fitted(labels[row])}\u2069`);
    const [x, y] = valuePlane.at(out[row]);
    const heavy = tokens.filter((i) => weights[row][i] > 0);
    const ends = value.map((vector) => valuePlane.at(vector));
    pool(links, heavy.length, () => svg("line")).forEach((line, n) => {
      const i = heavy[n];
      change(line, { x1: ends[i][0], y1: ends[i][1], x2: x, y2: y, "stroke-width": (0.8 + 11 * weights[row][i]).toFixed(2) });
    });
    const [ox, oy] = valuePlane.at([0, 0]);
    for (const line of [sumGlow, sum]) change(line, { x1: ox, y1: oy, x2: x, y2: y });
    change(target, { transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})` });
    valuePlane.draw(tokens.map((i) => ({ vector: value[i], kind: "value", tip: valueTips[i], text: named("v", fitted(labels[i])),
      name: `value of ${names[i]}`, look: mask && i > row ? " qk-off" : "", chosen: false })), {
      lines: [[ox, oy, x, y], ...heavy.map((i) => [...ends[i], x, y])], dots: [{ x, y, left: x - 12, right: x + 12, top: y - 12, bottom: y + 12 }],
      labels: [{ key: "out", x, y, away: 16, text: "output", look: " qk-strong" }],
    });
  }

  return lab.dispose;
}

export default { render };
