// The training lab. Python trains and writes; the page draws what it was told last.

const MOODS = {
  ready: "○ ready", training: "▶ learning", working: "… at work", paused: "‖ paused",
  stopped: "■ stopped", done: "✓ done", broken: "✕ broke off",
};

function render(page) {
  const lab = frame(page, "training", draw);
  const { writes } = lab.get("scene");
  const ready = (element) => element.getAttribute("aria-disabled") !== "true";
  const start = button(lab, { label: "Start", press: () => ready(start) && lab.set({ running: !lab.get("running") }) });
  put(start, { class: "tr-start" });
  const ask = (name) => lab.set({ running: false, [name]: lab.get(name) + 1 });
  const stop = button(lab, { label: "Stop", press: () => ready(stop) && ask("stops") });
  const step = button(lab, { label: "Step", press: () => ready(step) && ask("steps") });
  const reset = button(lab, { label: "Reset", press: () => ready(reset) && ask("resets") });
  toggle(lab, { label: "log scale", name: "log_scale" });
  if (writes) {
    newRow(lab);
    button(lab, { label: "Sample now", press: () => lab.set({ writes: lab.get("writes") + 1 }) });
    promptField(lab);
  }

  const facts = ["run", "step", "loss", "validation loss", "tokens a second", "to go"].map((name) => {
    const [value, more] = [html("span", { class: "tr-value" }), html("span", { class: "tr-more" })];
    return { value, more, tile: html("div", { class: "tr-fact" }, html("span", { class: "tr-name", text: name }), value, more) };
  });
  const table = html("div", { class: "tr-facts" }, ...facts.map((fact) => fact.tile));
  const [picture, texts] = [curves(), writings()];
  lab.stage.append(table, html("div", { class: "tr-body" }, picture.picture, texts.element));

  lab.follow("running now samples scene", lab.redraw);
  function draw(width) {
    const [scene, now, running] = [lab.get("scene"), lab.get("now"), lab.get("running")];
    const wide = width >= 800;
    const disabled = (element, no) => put(element, { "aria-disabled": String(no) });
    put(start, { text: running ? "Pause" : now.step ? "Resume" : "Start" });
    disabled(start, now.mood === "done" && !running);
    disabled(step, now.mood === "done");
    disabled(stop, ["stopped", "done"].includes(now.mood) && !running);
    disabled(reset, now.step === 0 && !now.looks.length && !lab.get("samples").length);
    table.style.gridTemplateColumns = wide ? "1.1fr 0.95fr 0.9fr 1.5fr 1.2fr 1.2fr" : `repeat(${width >= 460 ? 3 : 2}, 1fr)`;
    const last = now.looks.at(-1);
    const tell = [
      [MOODS[now.mood], ""],
      [commas(now.step), `of ${commas(scene.steps)}`],
      [now.mean === null ? "–" : loss(now.mean), now.mean === null ? "" : `mean of ${Math.min(scene.window, now.step)}`],
      [last ? loss(last[2]) : "–", now.best ? `best ${loss(now.best[1])} at ${commas(now.best[0])}` : ""],
      [now.speed ? commas(now.speed) : "–", `${scene.batch} × ${scene.block} in a step`],
      [now.left ?? "–", ""],
    ];
    facts.forEach(({ value, more }, i) => {
      put(value, { text: tell[i][0] });
      put(more, { text: tell[i][1] });
    });
    const side = wide ? Math.min(380, Math.round(0.36 * width)) : width;
    picture.draw(scene, now, Math.max(260, wide ? width - side - 20 : width), lab.get("log_scale"));
    texts.element.style.cssText = `width: ${side}px; height: ${wide ? picture.height : 250}px`;
    texts.draw(scene, lab.get("samples"), inField(lab.get("prompt")));
  }

  return stopUnseen(lab, page.model);
}

// a field has one line: a newline in it is ⏎, and \n is one too
const inField = (prompt) => prompt.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
const fromField = (text) => text.replaceAll("⏎", "\n").replaceAll("\\n", "\n").replaceAll("⇥", "\t");

// the prompt: handed over on leaving the field, and on Enter, which asks for a sample too
function promptField(lab) {
  const input = html("input", { type: "text", "aria-label": "prompt", spellcheck: "false", autocomplete: "off" });
  control(lab, "text", "prompt", input);
  const show = () => { if (input.value !== inField(lab.get("prompt"))) input.value = inField(lab.get("prompt")); };
  const take = (more = {}) => {
    lab.set({ prompt: fromField(input.value), ...more });
    show();
  };
  lab.listen(input, "change", () => take());
  lab.listen(input, "keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) take({ writes: lab.get("writes") + 1 });
  });
  bind(lab, "prompt", show);
}

export default { render };
