// What the training lab draws: the losses above, the learning rate below, and what the model writes.

const LOG_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 6, 10, 20, 50, 100, 200, 500, 1000];
const after = (step) => (step ? `after step ${commas(step)}` : "before the first step");
const loss = (value) => (value === null ? "not a number" : value.toFixed(2));

// the curves. They are as high as `height` says, whatever there is to see
function curves() {
  const picture = svg("svg", { role: "img" });
  const [titles, notes] = [[0, 1], [0, 1, 2]].map((list) => list.map(() => svg("text")));
  const groups = [svg("g"), svg("g")];
  const axis = svg("text", { class: "ll-muted", "text-anchor": "middle", text: "step" });
  const guess = svg("text", { class: "ll-halo ll-muted", "text-anchor": "end" });
  picture.append(...groups, ...titles, ...notes, axis, guess);
  titles.forEach((title) => put(title, { class: "tr-title" }));
  notes.forEach((note) => put(note, { class: "ll-muted" }));
  const [losses, rates] = groups.map(plot);
  const chance = svg("line", { class: "tr-chance" });
  const steps = svg("path", { class: "tr-steps" });
  const mean = svg("path", { class: "tr-mean" });
  const looks = svg("g");
  const best = svg("circle", { class: "tr-best", r: 8 });
  const tip = svg("circle", { class: "tr-tip", r: 4.5 });
  losses.inside.append(chance, steps, mean, tip);
  groups[0].append(best, looks); // not clipped: the first lies on the edge
  const ahead = svg("path", { class: "tr-ahead" });
  const done = svg("path", { class: "tr-mean" });
  const here = svg("circle", { class: "tr-tip", r: 4.5 });
  rates.inside.append(ahead, done, here);
  const look = () => svg("circle", { class: "tr-look", r: 4 }, svg("title"));

  function drawLosses({ steps: last, chance: guessing, vocabulary, window }, now, box, log) {
    const [low, high] = limits(guessing, now);
    const scale = log ? Math.log10 : (value) => value;
    const marks = log ? LOG_TICKS.filter((tick) => tick >= low && tick <= high).map((tick) => [scale(tick), String(tick)])
      : ticks(low, high, 6);
    losses.place(box, { low: 0, high: last, bottom: scale(low), top: scale(high) },
      ticks(0, last, 5).map(([step]) => [step, ""]), marks);
    const path = (place) => losses.path(now.curve.map((point) => [point[0], point[place] === null ? NaN : scale(point[place])]));
    put(steps, { d: path(1) });
    put(mean, { d: path(2) });
    const end = now.curve.filter((point) => point[2] !== null).at(-1);
    put(tip, end ? { cx: losses.x(end[0]), cy: losses.y(scale(end[2])), display: null } : { display: "none" });
    const inside = (validation) => validation !== null && validation >= low && validation <= high;
    const known = now.looks.filter(([, , validation]) => inside(validation));
    pool(looks, known.length, look).forEach((circle, i) => {
      const [step, training, validation] = known[i];
      put(circle, { cx: losses.x(step), cy: losses.y(scale(validation)) });
      put(circle.firstChild, { text: `${after(step)}: validation loss ${loss(validation)}, training loss ${loss(training)}` });
    });
    put(best, now.looks.length > 1 && inside(now.best[1])
      ? { cx: losses.x(now.best[0]), cy: losses.y(scale(now.best[1])), display: null } : { display: "none" });
    const y = guessing ? losses.y(scale(guessing)) : 0;
    put(chance, { x1: box.x, x2: box.x + box.width, y1: y, y2: y, display: guessing ? null : "none" });
    put(guess, { x: box.x + box.width - 6, y: y - 5, text: guessing ? `guessing: ln ${vocabulary} = ${guessing.toFixed(2)}` : "" });
    const texts = ["pale line: the loss of each step", `strong line: mean of the last ${window}`,
      "○ validation · the best has a ring"];
    const columns = box.width >= 430 ? [0, 0.5] : [0];
    notes.forEach((note, i) => put(note, { text: texts[i], x: box.x + box.width * columns[i % columns.length] }));
    return columns.length;
  }

  function drawRates({ steps: last, schedule, fastest: top }, now, box) {
    rates.place(box, { low: 0, high: last, bottom: 0, top: 1.15 * top }, ticks(0, last, 5).map(([step]) => [step, commas(step)]),
      [[0, "0"], [top, digits(top, 3)]]);
    put(ahead, { d: rates.path(schedule.map(([step, rate]) => [step, rate ?? NaN])) });
    const passed = schedule.filter(([step]) => step < now.step - 1);
    const end = now.step && now.rate !== null ? [[now.step - 1, now.rate]] : [];
    put(done, { d: rates.path([...passed, ...end]) });
    put(here, end.length ? { cx: rates.x(end[0][0]), cy: rates.y(end[0][1]), display: null } : { display: "none" });
  }

  return {
    picture,
    height: 452,
    draw(scene, now, width, log) {
      const box = { x: 54, y: 28, width: width - 80, height: 236 };
      const low = { ...box, y: 302, height: 64 };
      const columns = drawLosses(scene, now, box, log);
      drawRates(scene, now, low);
      put(titles[0], { x: 0, y: 15, text: now.mean === null ? "Loss" : `Loss ${loss(now.mean)} ${after(now.step)}` });
      put(titles[1], { x: 0, y: 290, text: `Learning rate ${now.rate === null ? "not a number" : digits(now.rate, 3)}` });
      put(axis, { x: box.x + box.width / 2, y: low.y + low.height + 32 });
      notes.forEach((note, i) => put(note, { y: low.y + low.height + 51 + 17 * Math.floor(i / columns) }));
      put(picture, { width, height: this.height + (columns === 1 ? 17 : 0), "aria-label":
        `The loss and the learning rate over ${commas(scene.steps)} steps, ${commas(now.step)} of them done` });
    },
  };
}

// the lowest and the highest loss of the picture
function limits(guessing, now) {
  const known = [...now.curve.flatMap(([, ...pair]) => pair), ...now.looks.map((look) => look[2])].filter((value) => value !== null);
  const first = guessing ?? known[0] ?? 5;
  const lowest = Math.min(first, ...known);
  const low = lowest > 0.5 ? Math.floor(2 * Math.min(lowest, first / 3)) / 2 : Math.floor(10 * lowest) / 10;
  // one leap to a million must not press all the others flat
  const highest = Math.max(first, Math.min(Math.max(first, ...known), 3 * first));
  return [Math.max(low, 0.01), 1.12 * highest];
}

// what the model has written, the newest first
function writings() {
  const head = html("p", { class: "tr-head" });
  const texts = html("div", { class: "tr-texts", tabindex: 0, role: "region", "aria-label": "What the model has written, the newest first" });
  const element = html("div", { class: "tr-written" }, head, texts);
  const one = () => html("div", {}, html("p", { class: "tr-when" }),
    html("p", { class: "tr-text" }, html("span", { class: "tr-prompt" }), html("span")));
  let newest = "";

  return {
    element,
    draw(scene, samples, prompt) {
      put(head, { text: scene.writes ? `The next sample: ${commas(scene.length)} tokens after “${prompt}”` : "No samples" });
      pool(texts, samples.length || 1, one).forEach((part, i) => {
        const [when, text] = part.childNodes;
        const sample = samples[i];
        put(text, { class: i ? "tr-text" : "tr-text tr-newest" });
        const nothing = scene.writes ? "Nothing is written yet." : "This model has no generate(idx, n), so there is nothing to read.";
        put(when, { text: sample ? `${after(sample.step)}${sample.done ? "" : ", not finished"}` : nothing });
        put(text.firstChild, { text: sample?.prompt ?? "" });
        put(text.lastChild, { text: sample?.text ?? "" });
      });
      const name = samples.length ? `${samples.length} ${samples[0].step}` : "";
      if (name !== newest) texts.scrollTop = 0;
      newest = name;
    },
  };
}
