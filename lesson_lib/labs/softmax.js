// The softmax lab. The page computes everything: softmax_view.js draws it, and softmax_words.js says it in words.

// what the temperature slider offers: 0.05, 0.055, ... 0.95, 1, 1.1, ... 20, with 1 in the middle
const HEATS = [];
for (const power of [-2, -1, 0, 1]) {
  for (let n = 10; n < 100; n += n < 16 ? 1 : n < 22 ? 2 : n < 28 ? 3 : n < 30 ? 2 : 5) {
    const heat = Number(`${n}e${power - 1}`);
    if (heat >= 0.05 && heat <= 20) HEATS.push(heat);
  }
}

// -- the numbers ------------------------------------------------------------------------------------

// logits: -Infinity for a masked one. Without the largest subtracted it is the plain formula in float32
function softmax(logits, { temperature, timesEight, plusHundred, subtractLargest }) {
  const round = subtractLargest ? (value) => value : Math.fround;
  const scaled = logits.map((z) => (z * (timesEight ? 8 : 1)) / temperature + (plusHundred ? 100 : 0));
  const largest = Math.max(...scaled);
  const exps = scaled.map((s) => round(Math.exp(subtractLargest ? s - largest : round(s))));
  const sum = exps.reduce((all, e) => round(all + e), 0);
  const probs = exps.map((e) => round(e / sum));
  const whole = Math.abs(probs.reduce((all, p) => all + p, 0) - 1) < 1e-3; // false for NaN
  return {
    scaled, largest, exps, sum, probs, whole,
    derivatives: probs.map((p, i) => probs.map((q, j) => (i === j ? p * (1 - p) : -p * q))),
    entropy: whole ? probs.reduce((all, p) => all - (p > 0 ? p * Math.log(p) : 0), 0) : NaN,
  };
}

// -- the lab ----------------------------------------------------------------------------------------

function render(page) {
  const lab = frame(page, "softmax", draw);
  const [labels, names, reach] = ["labels", "names", "reach"].map(lab.get);
  const n = labels.length;
  const places = labels.map((_, i) => i);

  // the picture, and over each logit's track what takes the pointer and the keys
  const picture = svg("svg", { role: "img", "aria-label": "Logits, their softmax, and its derivatives" });
  const handles = places.map((i) => handle(i));
  lab.stage.append(html("div", { class: "sm-picture" }, picture, ...handles), html("p", {
    class: "sm-hint",
    text: "Drag a bar, or move it with the arrow keys (with Shift by 1). Beyond its left end, or with Enter, it is −∞: masked.",
  }));

  slider(lab, { label: "temperature", name: "temperature", values: HEATS, show: (heat) => digits(heat, 4) });
  toggle(lab, { label: "multiply all by √64 = 8", name: "times_eight" });
  toggle(lab, { label: "add 100 to all", name: "plus_hundred" });
  toggle(lab, { label: "subtract the largest first", name: "subtract_largest" });
  button(lab, { label: "All equal", press: () => lab.set({ logits: places.map(() => 0), masked: places.map(() => false) }) });
  button(lab, {
    label: "Start again",
    press: () => lab.set({ ...lab.get("start"), times_eight: false, plus_hundred: false, subtract_largest: true }),
  });
  lab.follow("logits masked chosen", lab.redraw);

  // -- moving a logit

  const settle = (value) => Math.max(-reach, Math.min(reach, Number((Math.round(value * 10) / 10).toFixed(1))));

  // set logit i; null masks it, and keeps what it was
  function move(i, value) {
    const [logits, masked] = [[...lab.get("logits")], [...lab.get("masked")]];
    masked[i] = value === null;
    if (value !== null) logits[i] = value;
    lab.set({ logits, masked, chosen: i });
  }

  function handle(i) {
    const element = html("div", {
      class: "sm-handle", role: "slider", tabindex: 0, "aria-label": `logit ${names[i]}`,
      "aria-valuemin": -reach, "aria-valuemax": reach, "aria-orientation": "horizontal",
    });
    lab.listen(element, "focus", () => lab.get("chosen") !== i && lab.set({ chosen: i }));
    lab.listen(element, "keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const [value, size] = [lab.get("logits")[i], event.shiftKey ? 1 : 0.1];
      const steps = {
        ArrowRight: size, ArrowUp: size, ArrowLeft: -size, ArrowDown: -size, PageUp: 1, PageDown: -1, Home: -Infinity, End: Infinity,
      };
      if (event.key in steps) move(i, settle(value + steps[event.key]));
      else if (["Delete", "m", "M"].includes(event.key) || (event.key === "Enter" && !event.shiftKey)) {
        move(i, lab.get("masked")[i] ? value : null);
      } else return;
      event.preventDefault();
    });
    // press or drag: beyond the left end of the track lies minus infinity
    const drag = (event) => {
      const { left, width } = now.place.track;
      const x = event.clientX - picture.getBoundingClientRect().left - left;
      const value = x < -ZONE / 3 ? null : settle(reach * ((2 * x) / width - 1));
      const same = lab.get("masked")[i] ? value === null : value === lab.get("logits")[i];
      if (!same || lab.get("chosen") !== i) move(i, value);
    };
    lab.listen(element, "pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      element.focus({ preventScroll: true });
      element.setPointerCapture(event.pointerId);
      drag(event);
    });
    lab.listen(element, "pointermove", (event) => element.hasPointerCapture(event.pointerId) && drag(event));
    return element;
  }

  // -- drawing

  const view = build(picture, labels);
  let now = {};
  let long = 0; // the width of the widest label: only in the page can it be measured

  function draw(width) {
    const settings = {
      temperature: lab.get("temperature"), timesEight: lab.get("times_eight"),
      plusHundred: lab.get("plus_hundred"), subtractLargest: lab.get("subtract_largest"),
    };
    long ||= widest(labels, getComputedStyle(lab.stage).fontFamily);
    const [logits, masked, chosen] = [lab.get("logits"), lab.get("masked"), lab.get("chosen")];
    const real = logits.map((z, i) => (masked[i] ? -Infinity : z));
    now = {
      ...settings, ...softmax(real, settings), settings, labels, names, reach, logits, masked, chosen, real,
      open: places.filter((i) => !masked[i]), place: layout(width, n, long, reach),
    };
    drawAll(view, now);
    const { track, top, row } = now.place;
    handles.forEach((element, i) => change(element, {
      style: `left: ${track.left - ZONE}px; top: ${top + i * row}px; width: ${track.width + ZONE + 8}px; height: ${row}px`,
      "aria-valuenow": masked[i] ? -reach : logits[i],
      "aria-valuetext": `${masked[i] ? "minus infinity, masked" : logit(logits[i])}; probability ${share(now.probs, i)}`,
    }));
    lab.say(sentence(now));
  }
  return lab.dispose;
}

export default { render };
