// The playground. Python trains and asks the network; the page draws what it was told last, and asks for nothing.

const RATES = [0.001, 0.01, 0.1, 1].flatMap((power) => [1, 1.5, 2, 3, 5, 7].map((digit) => Number((power * digit).toPrecision(2))));
RATES.push(10);
const GAP = 30; // between two panels
const FINE = 4; // pixels of the map between two places where the network was asked

const number = (value) => (value === null || value === undefined ? "not a finite number" : digits(value, 3).replace("-", "−"));

function render(page) {
  const lab = frame(page, "playground", draw);
  const start = button(lab, { label: "Start", press: () => lab.set({ running: !lab.get("running") }) });
  put(start, { class: "pg-start" });
  const ask = (name) => lab.set({ running: false, [name]: lab.get(name) + 1 });
  button(lab, { label: "Step", press: () => ask("steps") });
  const reset = button(lab, { label: "Reset", press: () => ask("resets") });
  slider(lab, { label: "rate", name: "rate", values: RATES, show: (rate) => digits(rate, 3) });
  newRow(lab);
  const choices = lab.get("choices");
  select(lab, { label: "data", name: "data", options: choices.data.map((name) => [name, name]) });
  if (choices.layers.length) {
    select(lab, { label: "layers", name: "layers",
      options: choices.layers.map((sizes) => [sizes, `[${sizes}${sizes && ", "}1]`]) });
  }

  const canvas = html("canvas", { "aria-hidden": "true" });
  const picture = svg("svg", { role: "img", "aria-label": "What the network answers, its loss, and its gradients" });
  const room = html("div", { class: "pg-room" }, canvas, picture);
  lab.stage.append(room);
  const map = answersPanel(lab, picture, canvas);
  const losses = lossPanel(lab, picture);
  const gradients = gradientPanel(lab, picture);

  lab.follow("running now heights scene", lab.redraw);
  function draw(width) {
    const running = lab.get("running");
    const { scene, now } = { scene: lab.get("scene"), now: lab.get("now") };
    put(start, { text: running ? "Pause" : "Start" });
    put(reset, { "aria-disabled": String(now.step === 0) });
    const columns = width >= 820 ? 3 : 2;
    const column = Math.max(220, (width - (columns - 1) * GAP) / columns);
    const side = Math.min(300, column - 46);
    const foot = side + 110; // what is below begins here; the same for every network, so that the controls stay put
    map.draw(scene, now, { x: 0, y: 0, side });
    losses.draw(scene, now, { x: column + GAP, y: 0, width: column, side });
    const below = columns === 2;
    gradients.draw(scene, now, below
      ? { x: 0, y: foot, width, height: 230 }
      : { x: 2 * (column + GAP), y: 0, width: column, height: side + 14 });
    put(picture, { width: Math.max(width, 2 * column + GAP), height: below ? foot + 236 : foot });
  }

  return stopUnseen(lab, page.model);
}

// -- the network's answers: a map for two inputs, a curve for one ---------------------------------------------

function answersPanel(lab, picture, canvas) {
  const group = svg("g", { class: "pg-map" });
  const title = svg("text", { class: "pg-title" });
  const notes = [svg("text", { class: "ll-muted" }), svg("text", { class: "ll-muted" })];
  picture.append(group, title, ...notes);
  const axes = plot(group);
  const line = svg("path");
  const dots = svg("g");
  axes.inside.append(line, dots);
  const point = () => svg("g", {}, svg("title"), svg("path", { class: "pg-wrong" }), svg("path"));
  let painted = null; // what is on the canvas

  return {
    draw(scene, now, { x, y, side }) {
      const [[low, high], [bottom, top]] = scene.window;
      const flat = scene.inputs[0].length === 2;
      const box = { x: x + 40, y: y + 28, width: side, height: side };
      axes.place(box, { low, high, bottom, top }, ticks(low, high, 5), ticks(bottom, top, 5));
      put(title, { x, y: y + 15, text: `The network’s answer at ${flat ? "(x1, x2)" : "x"}` });
      const heights = lab.get("heights").map((value) => (value === null ? NaN : value));
      const full = scene.labels ? 1 : Math.max(...scene.targets.map(Math.abs)) || 1; // the height with the full colour
      canvas.hidden = !flat;
      put(group, { class: flat ? "pg-map" : "" });
      put(line, { class: flat ? "pg-border" : "pg-line" });
      if (flat) {
        if (painted !== lab.get("heights")) paint(canvas, heights, scene.places, full);
        painted = lab.get("heights");
        canvas.style.cssText = `left: ${box.x}px; top: ${box.y}px; width: ${side}px; height: ${side}px`;
        const step = side / (scene.places - 1);
        put(line, { d: contour((i, j) => heights[j * scene.places + i], scene.places, scene.places, 0,
          (i, j) => [box.x + i * step, box.y + side - j * step].map((c) => c.toFixed(1))) });
      } else {
        put(line, { d: axes.path(heights.map((value, i) => [low + ((high - low) * i) / (heights.length - 1), value])) });
      }
      const texts = !flat ? [scene.labels ? "line: the answer · ■ label 1 · ○ label −1" : "line: the answer · ○ target", ""]
        : scene.labels ? ["blue: above 0, for ■ · grey: below, for ○", "line: 0 · ring: on the wrong side"]
          : ["blue: above 0 · grey: below · line: 0", "■ target above 0 · ○ target below"];
      notes.forEach((note, i) => put(note, { x: x + 40, y: box.y + side + 36 + 17 * i, text: texts[i] }));

      pool(dots, scene.inputs.length, point).forEach((dot, i) => {
        const [words, ring, mark] = dot.childNodes;
        const target = scene.targets[i];
        const at = [axes.x(scene.inputs[i][0]), axes.y(flat ? scene.inputs[i][1] : target)];
        const square = (flat || scene.labels) && target > 0;
        const score = now.scores[i];
        put(dot, { transform: `translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})` });
        put(mark, { class: `pg-point${square ? " pg-square" : ""}`, d: square ? "M-3.5-3.5h7v7h-7z" : ROUND });
        put(ring, { d: RING, display: scene.labels && !(score * target > 0) ? null : "none" });
        put(words, { text: `at ${scene.inputs[i].map(number).join(", ")}: target ${number(target)}, answer ${number(score)}` });
      });
    },
  };
}

const circle = (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const [ROUND, RING] = [circle(3.6), circle(7)];

// the colours of the heights; between the places where the network was asked they are mixed
function paint(canvas, heights, places, full) {
  const size = (places - 1) * FINE + 1;
  put(canvas, { width: size, height: size });
  const colour = (name) => {
    const hex = getComputedStyle(canvas).getPropertyValue(`--ll-${name}`).trim();
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  };
  const [data, muted, paper] = [colour("data"), colour("muted"), colour("paper")];
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const height = between(heights, places, column / FINE, (size - 1 - row) / FINE);
      const share = Number.isNaN(height) ? 0 : Math.min(1, Math.abs(height) / full) * 0.75;
      const end = height > 0 ? data : muted;
      image.data.set([0, 1, 2].map((k) => paper[k] + share * (end[k] - paper[k])), 4 * (row * size + column));
      image.data[4 * (row * size + column) + 3] = heights.length ? 255 : 0;
    }
  }
  context.putImageData(image, 0, 0);
}

function between(heights, places, u, v) {
  const [i, j] = [Math.min(Math.floor(u), places - 2), Math.min(Math.floor(v), places - 2)];
  const [a, b] = [u - i, v - j];
  const at = (di, dj) => heights[(j + dj) * places + i + di];
  return (1 - b) * ((1 - a) * at(0, 0) + a * at(1, 0)) + b * ((1 - a) * at(0, 1) + a * at(1, 1));
}

// -- the loss, step by step -------------------------------------------------------------------------------------

function lossPanel(lab, picture) {
  const group = svg("g");
  const title = svg("text", { class: "pg-title" });
  const axis = svg("text", { class: "ll-muted", "text-anchor": "middle", text: "step" });
  const rate = svg("text", { "text-anchor": "end" });
  picture.append(group, title, axis, rate);
  const axes = plot(group);
  const curve = svg("path", { class: "pg-losses" });
  const last = svg("circle", { class: "pg-last", r: 4.5 });
  axes.inside.append(curve, last);

  return {
    draw(scene, now, { x, y, width, side }) {
      const points = now.curve.map(([step, loss]) => [step, loss === null ? NaN : loss]);
      const known = points.map(([, loss]) => loss).filter(Number.isFinite);
      // one leap to a million must not press all the others flat
      const top = Math.min(Math.max(...known, 1e-6), 4 * (known[0] || 1)) * 1.08;
      const power = 10 ** Math.max(1, Math.floor(Math.log10(now.step)));
      const end = power * [1, 2, 3, 5, 10].find((m) => m * power > now.step);
      const box = { x: x + 46, y: y + 28, width: width - 62, height: side };
      axes.place(box, { low: 0, high: end, bottom: 0, top }, ticks(0, end, 4), ticks(0, top, 5));
      put(curve, { d: axes.path(points) });
      const tip = points.filter(([, loss]) => Number.isFinite(loss)).at(-1) ?? [0, 0];
      put(last, { cx: axes.x(tip[0]), cy: axes.y(tip[1]) });
      put(title, { x, y: y + 15, text: `Loss ${number(now.loss)} at step ${now.step}` });
      put(axis, { x: box.x + box.width / 2, y: box.y + side + 36 });
      put(rate, { x: box.x + box.width, y: box.y + side + 36, text: `rate ${digits(lab.get("rate"), 3)}` });
    },
  };
}

// -- every parameter's gradient -----------------------------------------------------------------------------------

function gradientPanel(lab, picture) {
  const title = svg("text", { class: "pg-title", text: "The gradient of every parameter" });
  const captions = svg("g");
  const cells = svg("g");
  const notes = Array.from({ length: 4 }, () => svg("text", { class: "ll-muted" }));
  picture.append(title, captions, cells, ...notes);
  const cell = () => svg("g", {}, svg("rect", { class: "pg-cell" }, svg("title")), svg("rect", { class: "pg-grad" }));

  return {
    draw(scene, now, { x, y, width, height }) {
      put(title, { x, y: y + 15 });
      const { spots, size, heads, foot, right } = arrange(scene, width, height - 28);
      pool(captions, heads.length, () => svg("text", { class: "ll-muted" })).forEach((caption, i) =>
        put(caption, { x: x + heads[i].x, y: y + 28 + heads[i].y, text: heads[i].text }));
      pool(cells, now.grads.length, cell).forEach((one, i) => {
        const [ground, mark] = one.childNodes;
        const [left, top] = [x + spots[i][0], y + 28 + spots[i][1]];
        put(ground, { x: left, y: top, width: size - 1, height: size - 1 });
        put(ground.firstChild, { text: `${scene.names[i]}: gradient ${number(now.grads[i])}, value ${number(now.data[i])}` });
        // half as wide is 100 times less: so four powers of ten can be seen at once
        const share = Math.max(0, 1 + Math.log10(Math.abs(now.grads[i]) / now.most || 0) / 4);
        const line = Math.min(2, size / 6);
        const minus = now.grads[i] < 0;
        const part = Math.max(0, share * (size - 1) - (minus ? line : 0));
        put(mark, {
          class: `pg-grad ${minus ? "pg-minus" : "pg-plus"}`, "stroke-width": minus ? line : 0,
          x: left + (size - 1 - part) / 2, y: top + (size - 1 - part) / 2, width: part, height: part,
          opacity: (0.2 + 0.8 * share).toFixed(2), display: share * size < 1 ? "none" : null,
        });
      });
      const words = now.step === 0 ? ["No gradient yet:", "it comes with the first step."]
        : ["■ above 0 · □ below 0", `full width: ${number(now.most)}, the largest so far`, "half as wide: 100 times less"];
      if (scene.known) words.push("a row or column apart: the biases");
      // beside the squares, where there is room
      const beside = width - right > 260;
      notes.forEach((note, i) => put(note, { x: beside ? x + right + 40 : x, text: words[i] ?? "",
        y: beside ? y + 45 + 19 * i : y + 46 + foot + 17 * i }));
    },
  };
}

// where each parameter's cell goes: a block for each layer, one below the other, lying on its long side
function arrange({ blocks, known }, width, height) {
  const [label, gap] = [known ? 52 : 0, 10];
  const lying = blocks.map((rows) => {
    const turned = rows.length > rows[0].length;
    const lines = turned ? rows[0].map((_, i) => rows.map((row) => row[i])) : rows;
    return { lines, turned };
  });
  // the bias stands a little apart, at the end of its line or of its column
  const apart = known ? 0.4 : 0;
  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const wide = Math.max(...lying.map(({ lines, turned }) => lines[0].length + (turned ? 0 : apart)));
  const high = sum(lying.map(({ lines, turned }) => lines.length + (turned ? apart : 0)));
  const size = Math.max(3, Math.min(20, (width - label) / wide, (height - gap * (blocks.length - 1)) / high));
  const spots = [];
  const heads = [];
  let y = 0;
  lying.forEach(({ lines, turned }, k) => {
    if (known) heads.push({ x: 0, y: y + Math.max(size / 2 + 4, 10), text: `layer ${k + 1}` });
    lines.forEach((line, j) => line.forEach((place, i) => {
      const bias = turned ? j === lines.length - 1 : i === line.length - 1;
      spots[place] = [label + (i + (bias && !turned ? apart : 0)) * size, y + (j + (bias && turned ? apart : 0)) * size];
    }));
    y += (lines.length + (turned ? apart : 0)) * size + gap;
  });
  return { spots, size, heads, foot: y - gap, right: label + wide * size };
}

export default { render };
