// The aggregation lab: weights (T, T) @ x (T, 2) = out (T, 2). The pieces: weights.js computes and finds
// the words, plane.js draws the plane, aggregation_view.js knows where things are and how a cell looks.

const STEP = 0.5; // of a number or logit that is edited
const PULL = 9; // pixels of a drag for one step
const LIMITS = { triangular: [0, 4], softmax: [-4, 4] };
const WAYS = [["loop", "loop"], ["triangular", "triangular matrix"], ["softmax", "softmax of logits"]];

function render(page) {
  const lab = frame(page, "aggregation", draw);
  const [labels, names, vectors] = ["labels", "names", "x"].map(lab.get);
  const T = labels.length;
  const all = additions(T);
  const plainTable = (value) => range(T).map(() => range(T).map(() => value));
  let peek = null; // the row under the pointer, and perhaps its column

  // what there is to see now. In the loop its step says where it is; a row under the pointer is looked at once it is done
  function look() {
    const order = lab.get("order");
    const state = { way: lab.get("way"), mask: lab.get("mask"), divide: lab.get("divide"), step: lab.get("step"),
      numbers: lab.get("numbers"), logits: lab.get("logits"), x: order.map((k) => vectors[k]) };
    const found = aggregate(state);
    const [t, i] = state.way === "loop" ? [found.t, found.i] : [lab.get("row"), lab.get("column")];
    const peeked = peek && (state.way !== "loop" || found.rows[peek.t].out) ? peek : null;
    return { ...state, ...found, t, i, shown: peeked?.t ?? t, under: peeked?.i ?? (peeked ? -1 : i), peeked,
      labels: order.map((k) => labels[k]), names: order.map((k) => names[k]), shuffled: order.some((k, p) => k !== p) };
  }
  const hidden = (now, t, i) => i > t && (now.mask || now.way === "loop");
  const tableOf = (way) => (way === "softmax" ? "logits" : "numbers");

  // -- what can be done ------------------------------------------------------------------------------------

  const within = (value, low, high) => Math.max(low, Math.min(high, value));
  function choose(t, i) {
    peek = null;
    const row = within(t, 0, T - 1);
    if (lab.get("way") === "loop") {
      pause();
      lab.set({ step: stepOf(row, within(i, 0, row)) });
    } else lab.set({ row, column: within(i, 0, T - 1) });
  }
  // make the number or logit of a cell another one; what the mask hides has none
  function edit(t, i, value) {
    const now = look();
    if (now.way === "loop" || hidden(now, t, i)) return;
    const name = tableOf(now.way);
    const table = lab.get(name).map((row) => [...row]);
    table[t][i] = within(Math.round(value / STEP) * STEP, ...LIMITS[now.way]);
    lab.set({ [name]: table });
  }
  const valueAt = (t, i) => lab.get(tableOf(lab.get("way")))[t][i];

  // each row takes from those for which `test` is true: as near to that as numbers and logits come
  const preset = (test) => lab.set({
    numbers: range(T).map((t) => range(T).map((i) => (test(t, i) ? 1 : 0))),
    logits: range(T).map((t) => range(T).map((i) => (test(t, i) ? 4 : -4))),
  });
  function reset() {
    pause();
    lab.set({ numbers: plainTable(1), logits: plainTable(0), mask: true, divide: true, order: range(T), step: all });
  }
  // the tokens before the last one in another order; the last position is the one to look at then
  function shuffle() {
    const shuffles = lab.get("shuffles") + 1;
    const order = [...lab.get("order")];
    const before = order.join();
    let seed = shuffles;
    for (let k = T - 2; k > 0; k--) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const other = Math.floor((seed / 2 ** 32) * (k + 1));
      [order[k], order[other]] = [order[other], order[k]];
    }
    if (order.join() === before) [order[0], order[1]] = [order[1], order[0]];
    lab.set({ shuffles, order, ...(lab.get("way") === "loop" ? {} : { row: T - 1 }) });
  }

  let timer = 0;
  function pause() {
    clearTimeout(timer);
    timer = 0;
    lab.redraw();
  }
  function tick() {
    lab.set({ step: lab.get("step") >= all ? 1 : lab.get("step") + 1 });
    if (lab.get("step") < all) timer = setTimeout(tick, T > 5 ? 500 : 900);
    else pause();
  }

  // -- controls: one slider for the step of the loop, or the chosen number; the switches lie where the loop has its button

  const main = html("input", { type: "range" });
  const mainText = html("span", { class: "ll-value", "aria-hidden": "true" });
  const mainName = control(lab, "slider", "", main, mainText).firstChild;
  lab.listen(main, "input", () => {
    const value = Number(main.value);
    if (lab.get("way") !== "loop") return edit(lab.get("row"), lab.get("column"), value);
    pause();
    lab.set({ step: value });
  });
  const mask = toggle(lab, { label: "mask the future", name: "mask" });
  const divide = toggle(lab, { label: "divide each row by its sum", name: "divide" });
  const play = button(lab, { label: "Play", press: () => (timer ? pause() : tick()) });
  const switches = html("div", { class: "ag-controls" }, mask.parentElement, divide.parentElement);
  const player = html("div", { class: "ag-controls" }, play);
  lab.controls.append(html("div", { class: "ag-both" }, switches, player), html("div", { class: "ll-row" }));
  const way = select(lab, { label: "way", name: "way", options: WAYS });
  lab.listen(way, "change", pause);
  const again = button(lab, { label: "Average again", press: reset });
  const own = button(lab, { label: "Own token only", press: () => preset((t, i) => i === t) });
  const two = button(lab, { label: "Last two", press: () => preset((t, i) => i === t || i === t - 1) });
  const mix = button(lab, { label: "Shuffle the past", press: shuffle });
  mix.disabled = T < 3; // there is no other order
  lab.controls.append(html("div", { class: "ag-buttons" }, again, own, two, mix));
  lab.follow("numbers logits order row column step shuffles", lab.redraw);

  function settle(now) {
    const looped = now.way === "loop";
    for (const [group, on] of [[switches, !looped], [player, looped]]) {
      put(group, { class: `ag-controls${on ? "" : " ag-gone"}`, "aria-hidden": on ? null : "true" });
    }
    for (const input of [mask, divide, own, two]) input.disabled = looped;
    play.disabled = !looped;
    put(play, { text: timer ? "Pause" : "Play" });
    const show = (name, low, high, step, value, text, spoken) => {
      put(mainName, { text: name });
      put(main, { min: low, max: high, step, "aria-label": name, "aria-valuetext": spoken });
      if (Number(main.value) !== value) main.value = value;
      put(mainText, { text });
    };
    if (looped) {
      main.disabled = false;
      return show("additions", 0, all, 1, now.step, `${now.step} of ${all}`, `${now.step} of ${all}`);
    }
    const [t, i] = [lab.get("row"), lab.get("column")];
    const masked = hidden(now, t, i);
    const value = valueAt(t, i);
    const weight = now.rows[t].weights ? precise(now.rows[t].weights[i]) : "none";
    const text = masked ? "masked" : precise(value);
    main.disabled = masked;
    show(`${now.way === "softmax" ? "logit" : "number"} [${t}, ${i}]`, ...LIMITS[now.way], STEP, value,
      masked ? text : `${text} → ${weight}`, `${text}, weight ${weight}`);
  }

  // -- the picture: made once, moved on each drawing -----------------------------------------------------------

  const id = `ll-${Math.random().toString(36).slice(2)}`;
  const hatch = svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 6, height: 6, class: "ag-blank" }), svg("line", { x1: 0, x2: 0, y1: 0, y2: 6, class: "ag-hatching" }));
  const [bands, heads, grid, xs, outs, front] = range(6).map(() => svg("g"));
  const picture = svg("svg", { role: "group", "aria-label": "Weights times vectors is outputs, and the plane of the vectors" },
    svg("defs", {}, hatch), bands, heads, grid, xs, outs, front);
  const keys = legend(lab.get("legend"));
  lab.stage.append(picture, keys.element);
  const measured = ruler(lab.stage);
  const drawPlane = plane(picture, measured);

  const box = (kind, attributes) => svg("g", { class: `ag-cell ${kind}`, ...attributes },
    ...["ag-hit", "ag-base", "ag-shade"].map((part) => svg("rect", { class: part })),
    ...["ag-small", "ag-big"].map((part) => svg("text", { class: part })));
  const cells = range(T).map((t) => range(T).map((i) => box("ag-weight", { role: "gridcell", "data-t": t, "data-i": i })));
  put(grid, { role: "grid", "aria-label": `weights, ${T} by ${T}: arrow keys move, plus and minus change` });
  grid.append(...cells.map((row) => svg("g", { role: "row" }, ...row)));
  const xCells = range(T).map(() => range(2).map(() => box("ag-data", {})));
  xs.append(...xCells.flat());
  const outCells = range(T).map(() => range(2).map(() => box("ag-data", {})));
  const outRows = outCells.map((pair, t) => svg("g", { role: "option", "data-out": t, class: "ag-row" }, ...pair));
  put(outs, { role: "listbox", "aria-label": `outputs, ${T} rows: arrow keys choose one` });
  outs.append(...outRows);
  const band = range(2).map(() => svg("rect", { class: "ag-band", rx: 5 }));
  bands.append(...band);
  const [stairs, cursor] = [svg("path", { class: "ag-stairs" }), svg("rect", { class: "ag-cursor" })];
  front.append(stairs, cursor);

  function draw(width) {
    const now = look();
    settle(now);
    const at = measure(width, T);
    drawBack(heads, now, at, measured);
    drawCells(now, at);
    const done = now.shown >= 0 && now.rows[now.shown].out;
    // while the loop adds, the plane has the mean of what was added so far
    const partial = now.way === "loop" && now.t >= 0 && !done;
    const weights = partial ? range(T).map((i) => (i <= now.i ? 1 / (now.i + 1) : 0)) : done && now.rows[now.shown].weights;
    drawPlane(at.plane, { x: now.x, labels: now.labels, outs: now.rows.map(({ out }) => out), chosen: now.shown, weights,
      out: partial ? now.running.map((value) => value / (now.i + 1)) : done, name: partial ? "mean so far" : `out[${now.shown}]`,
      active: now.under });
    keys.show(now.way);
    put(picture, { width: Math.max(width, at.right), height: at.height });
    lab.say(sentence(now));
  }

  function drawCells(now, at) {
    const { t, i, shown, under, rows, way } = now;
    const loop = way === "loop";
    const focused = loop ? [Math.max(t, 0), Math.max(i, 0)] : [t, i];
    const y = (p) => TOP + p * at.high;
    rows.forEach(({ weights, out }, p) => {
      const adding = loop && p === t && !out;
      range(T).forEach((c) => {
        const off = hidden(now, p, c);
        const added = adding && c <= i;
        const words = cellWords({ loop, off, added, weight: weights?.[c], value: loop || off ? null : now[tableOf(way)][p][c], way });
        drawBox(cells[p][c], { x: at.x0 + c * at.size, y: y(p), width: at.size, height: at.high, ...words,
          fill: off ? `url(#${id})` : null, shade: weights ? Math.min(1, weights[c]) * 0.8 : 0 });
        change(cells[p][c], {
          class: `ag-cell ag-weight${off ? " ag-off" : loop ? "" : " ag-edit"}${added && c === i ? " ag-now" : ""}`,
          tabindex: p === focused[0] && c === focused[1] ? 0 : -1,
          "aria-selected": String(p === t && c === i),
          "aria-readonly": String(loop || off),
          "aria-label": `row ${p} ${now.names[p]}, column ${c} ${now.names[c]}: ${words.spoken}`,
        });
      });
      // does the row that is looked at take anything from this token?
      const given = shown >= 0 && (rows[shown].weights ? rows[shown].weights[p] > 0 : loop && p <= i);
      const comesIn = loop && p === under && t === shown;
      const result = out ?? (adding ? now.running : null);
      range(2).forEach((c) => {
        const size = { y: y(p), width: at.wide, height: at.high };
        drawBox(xCells[p][c], { x: at.xX + c * at.wide, ...size, big: short(now.x[p][c]), shade: given ? 0.2 : 0.05 });
        change(xCells[p][c], { class: `ag-cell ag-data${given || shown < 0 ? "" : " ag-silent"}${comesIn ? " ag-now" : ""}` });
        const big = result ? short(result[c]) : loop ? "" : "–";
        drawBox(outCells[p][c], { x: at.outX + c * at.wide, ...size, big, shade: out ? 0.2 : 0 });
        change(outCells[p][c], { class: `ag-cell ag-data${adding ? " ag-sum" : ""}` });
      });
      const spoken = out ? `output ${pair(out)}` : adding ? `sum so far ${pair(now.running)}` : "no output";
      change(outRows[p], { class: "ag-row", tabindex: p === Math.max(shown, 0) ? 0 : -1, "aria-selected": String(p === shown),
        "aria-label": `row ${p} ${now.names[p]}: ${spoken}` });
    });

    // around and over the cells: the row that is looked at, the line of the mask, the cell that is chosen
    const around = (x, width) => ({ x: x - 4, y: y(shown) - 4, width: width + 8, height: at.high + 8, display: shown < 0 ? "none" : null });
    change(band[0], around(4, at.x0 - 4 + T * at.size));
    change(band[1], around(at.outX, 2 * at.wide));
    const path = range(T).map((p) => `V${y(p)}H${at.x0 + (p + 1) * at.size}`).join("");
    change(stairs, { d: `M${at.x0} ${TOP}${path}V${y(T)}` });
    const [row, column] = now.peeked ? [shown, under] : [t, i];
    const marked = row >= 0 && column >= 0;
    change(cursor, { display: marked ? null : "none", x: at.x0 + column * at.size, y: y(row), width: at.size, height: at.high });
  }

  // -- pointer and keys ------------------------------------------------------------------------------------------

  let drag = null;
  const cellOf = ({ target }) => target.closest?.(".ag-weight");
  lab.listen(grid, "pointerdown", (event) => {
    const cell = cellOf(event);
    if (!cell || event.button) return;
    const [t, i] = [Number(cell.dataset.t), Number(cell.dataset.i)];
    choose(t, i);
    const now = look();
    if (now.way === "loop" || hidden(now, t, i)) return;
    drag = { t, i, y: event.clientY, from: valueAt(t, i) };
    cell.setPointerCapture(event.pointerId);
  });
  lab.listen(grid, "pointermove", (event) => {
    if (!drag) return;
    const value = drag.from + STEP * Math.round((drag.y - event.clientY) / PULL);
    if (within(value, ...LIMITS[lab.get("way")]) !== valueAt(drag.t, drag.i)) edit(drag.t, drag.i, value);
  });
  for (const end of ["pointerup", "pointercancel"]) lab.listen(grid, end, () => { drag = null; });

  function peekAt(next) {
    if (drag || (peek?.t === next?.t && peek?.i === next?.i)) return;
    peek = next;
    lab.redraw();
  }
  lab.listen(picture, "pointermove", (event) => {
    const { t, i, out, point } = event.target.closest?.("[data-t], [data-out], [data-point]")?.dataset ?? {};
    const row = t ?? out ?? point;
    peekAt(row === undefined ? null : { t: Number(row), i: i === undefined ? undefined : Number(i) });
  });
  lab.listen(picture, "pointerleave", () => peekAt(null));
  lab.listen(picture, "click", (event) => {
    const { out, point } = event.target.closest?.("[data-out], [data-point]")?.dataset ?? {};
    const row = Number(out ?? point);
    if (!Number.isNaN(row)) choose(row, lab.get("way") === "loop" ? row : lab.get("column"));
  });

  function goto(t, i) {
    choose(t, i);
    const now = look();
    cells[Math.max(0, now.t)][Math.max(0, now.i)].focus();
  }
  const taken = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  lab.listen(grid, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { way, t, i } = look();
    const places = { ArrowUp: [t - 1, i], ArrowDown: [t + 1, i], Home: [t, 0], End: [t, T - 1] };
    // along the steps of the loop, over the ends of its rows
    const beside = (by) => (way === "loop" ? place(within(lab.get("step") + by, 1, all)) : [t, i + by]);
    Object.assign(places, { ArrowLeft: beside(-1), ArrowRight: beside(1) });
    const moves = { "+": STEP, "=": STEP, "-": -STEP, "−": -STEP, PageUp: 1, PageDown: -1 };
    if (places[event.key]) goto(...places[event.key]);
    else if (event.key in moves) edit(t, i, valueAt(t, i) + moves[event.key]);
    else if (/^\d$/.test(event.key)) edit(t, i, Number(event.key));
    else return;
    taken(event);
  });
  lab.listen(outs, "keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    const { t, i, way } = look();
    const row = within(t + by, 0, T - 1);
    choose(row, way === "loop" ? row : i);
    outRows[row].focus();
    taken(event);
  });

  return () => {
    clearTimeout(timer);
    lab.dispose();
  };
}

export default { render };
