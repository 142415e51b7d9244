// The derivative lab. Python parses a formula once; expression.js runs it, so that sliding asks Python for nothing.

const STEPS = [1e-16]; // what h can be: 1e-16, 2e-16, 5e-16, 1e-15, ... 1
for (let power = -16; power < 0; power++) {
  for (const digit of power === -16 ? [2, 5] : [1, 2, 5]) STEPS.push(Number(`${digit}e${power}`));
}
STEPS.push(1);
// where the error curves are computed: at all of these, and at two steps between each two of them
const SAMPLES = STEPS.flatMap((h, i) => (i === 0 ? [h] : [2 / 3, 1 / 3, 0].map((part) => h * (STEPS[i - 1] / h) ** part)));
const EPSILON = Number.EPSILON; // the gap between 1 and the next float, 2.2e-16
const NOTHING = 1e-17; // errors below this are drawn at the foot of the plot

// -- what there is to know -----------------------------------------------------------------------------

// all there is to know at x with the step h
function look(text, program, x, h) {
  const f = (at) => run(program, at, 1)[0];
  const slopeAt = (at) => {
    const [right, left] = [run(program, at, 1)[1], -run(program, at, -1)[1]];
    return { right, left, slope: right === left ? right : NaN };
  };
  const [here, there] = [f(x), f(x + h)];
  const { right, left, slope } = slopeAt(x);
  const forward = (step) => (f(x + step) - here) / step;
  const central = (step) => (f(x + step) - f(x - step)) / (2 * step);
  const error = Math.abs(forward(h) - slope);
  return {
    text, f, x, h, here, there, right, left, slope, forward, central, error,
    secant: forward(h),
    centralError: Math.abs(central(h) - slope),
    // the two sources of the error: half the change of the slope on the way, and the last digits lost
    bending: Math.abs(slopeAt(x + h).slope - slope) / 2,
    roundoff: (EPSILON * (Math.abs(here) + Math.abs(there) + Math.abs(x * slope))) / h,
  };
}

// -- in words ---------------------------------------------------------------------------------------

const brief = (value) => digits(value, Math.abs(value) < 1e-3 ? 2 : 3);

// a slope in as many digits as show its difference to the exact one
function slopeText({ secant, error, slope }) {
  const ratio = error / Math.abs(slope || 1);
  return digits(secant, ratio > 0 ? Math.max(4, Math.min(17, 2 - Math.floor(Math.log10(ratio)))) : 6);
}

// which side of the error curve h is on: "bending", "round-off", or "" for neither
function side(now) {
  const { error, bending, roundoff, slope, x, h } = now;
  if (!Number.isFinite(error) || (error === 0 && bending === 0)) return "";
  if (x + h === x || (slope !== 0 && level(now))) return "round-off";
  if (roundoff > 3 * bending && error < 30 * roundoff) return "round-off";
  return bending > 3 * roundoff || error > 30 * roundoff ? "bending" : "";
}

// does f have one and the same value from x to x + h, as far as floats can tell?
function level({ f, x, h, here, there }) {
  return there === here && Array.from({ length: 63 }, (_, i) => f(x + (h * (i + 1)) / 64)).every((value) => value === here);
}

// is there a gap or a pole between x and x + h? at a pole the highest value grows, the closer we look
function breaks({ f, x, h, here, there }) {
  let [low, high, first, peak] = [x, x + h, 0, 0];
  for (let round = 0; round < 5; round++) {
    // an odd place between two marks: it does not fall on a pole at a round number by chance
    const points = Array.from({ length: 64 }, (_, i) => low + ((high - low) * (i + Math.SQRT1_2)) / 64);
    const values = points.map((at) => Math.abs(f(at)));
    if (!values.every(Number.isFinite)) return true;
    peak = Math.max(...values);
    if (round === 0) first = Math.max(peak, Math.abs(here), Math.abs(there));
    const [place, mark] = [points[values.indexOf(peak)], (high - low) / 64];
    [low, high] = [Math.max(x, place - mark), Math.min(x + h, place + mark)]; // a pole outside is none of ours
  }
  return peak > 20 * first;
}

function sentence(now) {
  const { text, x, h, here, there, right, left, slope, secant, error, centralError, bending } = now;
  const at = `x = ${digits(x, 6)}`;
  const lost = "There is none for a division by 0, for the log of 0 or less, and for the root of less than 0.";
  if (!Number.isFinite(here)) {
    return Number.isNaN(here)
      ? `At ${at} the function ${text} has no value. ${lost} Move x to where there is a curve.`
      : `At ${at} the value of ${text} is too large for a float, which ends at about 1.8e308. Move x.`;
  }
  const exact = `the exact slope at ${at} is ${digits(slope, 6)}`;
  if (Number.isNaN(slope) && Number.isFinite(right) && Number.isFinite(left)) {
    return `At ${at} the curve has a kink: its slope is ${digits(left, 4)} to the left and ${digits(right, 4)} to the right, ` +
      "so there is no single slope and no tangent. " + (Number.isFinite(secant)
      ? `The secant, which looks to the right, says ${digits(secant, 6)}; the central difference, which looks both ways, ` +
        `says ${digits(now.central(h), 6)}. No smaller h will make them agree.`
      : "");
  }
  if (!Number.isFinite(slope)) {
    return `At ${at} the curve has no slope that is a number: it stands upright, or it begins or ends here. ` +
      (Number.isFinite(secant) ? `The secant's slope is ${digits(secant, 6)}; watch it while h shrinks.` : "");
  }
  if (!Number.isFinite(there)) {
    return `At x + h = ${digits(x + h, 6)} the function has no value, so there is no second point and no secant. ` +
      `Yet ${exact}. Take a smaller h.`;
  }
  const first = `With h = ${brief(h)} the secant's slope is ${slopeText(now)}, and ${exact}: an error of ${brief(error)}.`;
  if (x + h === x) {
    return `${first} For the computer x + h is x itself: the floats next to ${at} are further away than h. ` +
      "So both points are one, and the difference is 0.";
  }
  if (there === here && slope !== 0 && side(now) === "round-off") {
    return `${first} f(x + h) and f(x) are the same float, so their difference is 0.`;
  }
  const flat = slope === 0 && level(now);
  if (flat && bending > 0) {
    return `${first} f(x + h) and f(x) are the same float: what the curve rises or falls between them is lost. ` +
      "Lost digits leave a slope of 0. Here the exact slope happens to be 0 too, so no error shows.";
  }
  // coming back to the same height is not being straight, although nothing differs at the two ends
  if (flat || (error === 0 && bending === 0 && there !== here)) {
    return `${first} The curve is straight between the two points: the secant lies in it.`;
  }
  if (breaks(now)) {
    return `${first} Between the two points the curve breaks off or runs off to infinity, so the secant joins two ` +
      "separate branches. Take a smaller h.";
  }
  if (there === here && slope === 0) {
    return `${first} The curve leaves the height f(x) and is back there at x + h: the secant is level, as the tangent ` +
      "is, and says nothing of the way between.";
  }
  const same = Math.ceil(-Math.log10(Math.abs(there - here) / Math.max(Math.abs(there), Math.abs(here))));
  if (side(now) === "round-off" && same <= 3) {
    return `${first} The curve is straight between the two points, so even a large h gives its slope.`;
  }
  if (side(now) === "round-off") {
    return `${first} f(x + h) and f(x) agree in their first ${same} of 16 digits; the few that are left make the ` +
      "slope. This is round-off, and a smaller h makes it worse.";
  }
  if (side(now) === "bending") {
    return `${first} The curve bends away from the straight line between the two points; a smaller h helps.` +
      (centralError === 0 ? " The central difference has no error here."
        : centralError < error / 10 ? ` The central difference is off by only ${brief(centralError)}.` : "");
  }
  return `${first} Here the two reasons for errors balance: a larger h bends more, a smaller h loses more digits.`;
}

// -- the picture ------------------------------------------------------------------------------------

const line = (color, width, dash = "none") => ({
  style: `fill: none; stroke: var(--ll-${color}); stroke-width: ${width}; stroke-dasharray: ${dash}; stroke-linejoin: round; stroke-linecap: ${dash === "none" ? "round" : "butt"}`,
});
const dot = (color) => svg("circle", { r: 5.5, style: `fill: var(--ll-${color}); stroke: var(--ll-paper); stroke-width: 1.5` });
const words = (color, weight = 600) => svg("text", { style: `fill: var(--ll-${color}); font-weight: ${weight}` });
const show = (element, visible) => put(element, { display: visible ? null : "none" });

// what the left plot shows, as distances from x, and the curve in it
function window_(now, zoom) {
  const { f, x, h, here, there } = now;
  const base = zoom && Number.isFinite(here) ? here : 0;
  const [low, high] = zoom ? [-1.6 * h, 2.6 * h] : Math.abs(x) > 3 ? [-4, 4] : [-3.6 - x, 4.4 - x];
  const points = Array.from({ length: 401 }, (_, i) => {
    const t = low + ((high - low) * i) / 400;
    return [t, f(x + t) - base];
  });
  const seen = points.map(([, y]) => y).filter(Number.isFinite).sort((a, b) => a - b);
  // a pole or an exponential must not press the rest of the curve flat
  const [a, b] = [seen[Math.floor(seen.length * 0.25)], seen[Math.floor(seen.length * 0.75)]];
  const known = [here - base, there - base].filter(Number.isFinite);
  let bottom = Math.min(...known, Math.max(seen[0], a - 1.5 * (b - a)));
  let top = Math.max(...known, Math.min(seen[seen.length - 1], b + 1.5 * (b - a)));
  if (!seen.length) [bottom, top] = [-1, 1];
  const room = (top - bottom) * 0.1 || Math.max(Math.abs(zoom ? now.slope * h : top) || 0, zoom ? h : 1);
  [bottom, top] = [bottom - room, top + room];
  // a leap over the whole height with a change of sign is a pole: lift the pen
  for (let i = 1; i < points.length; i++) {
    const [before, after] = [points[i - 1][1], points[i][1]];
    if (!zoom && before * after < 0 && Math.abs(after - before) > top - bottom) points[i][1] = NaN;
  }
  const floats = new Set(points.map(([t]) => x + t)).size;
  return { base, view: { low, high, bottom, top }, points, stairs: floats < points.length / 3 };
}

function render(page) {
  const lab = frame(page, "derivative", draw);

  select(lab, {
    label: "f(x) =",
    name: "f",
    other: "(typed)",
    options: (lab.alone ? Object.keys(lab.get("programs")) : lab.get("choices")).map((text) => [text, text]),
  });
  // only Python can read what is typed
  const field = lab.alone ? null : textField(lab, { label: "or type one", name: "f" });
  newRow(lab);
  slider(lab, { label: "x", name: "x", min: -3, max: 3, step: 0.05, show: (x) => digits(x, 6) });
  slider(lab, { label: "h", name: "h", values: STEPS, show: brief });
  toggle(lab, { label: "zoom in with h", name: "zoom" });
  remark(lab, "In the notebook you can type a function of your own.");

  const picture = svg("svg", { role: "img", "aria-label": "The curve with secant and tangent; the error against h" });
  lab.stage.append(picture);

  // left: the curve
  const curve = plot(picture);
  const parts = {
    curve: svg("path", line("data", 3.4)),
    run: svg("path", line("ink", 1.2, "2 3")),
    secant: svg("path", line("ink", 1.8)),
    tangent: svg("path", line("gradient", 2.4, "8 6")), // on top: the secant shows between its dashes
    runText: svg("text", { class: "ll-halo", "text-anchor": "middle" }),
    there: dot("ink"),
    here: dot("ink"),
  };
  curve.inside.append(...Object.values(parts));
  const curveTitle = words("data");
  const axis = svg("text", { class: "ll-muted", "text-anchor": "middle", text: "x" });
  const secantKey = [svg("path", line("ink", 1.8)), dot("ink"), words("ink")];
  const tangentKey = [svg("path", line("gradient", 2.4, "8 5")), words("gradient_text")];

  // right: the error
  const errors = plot(picture);
  const here = svg("path", line("ink", 1.2, "2 3"));
  const forward = svg("path", line("data", 1.8));
  const central = svg("path", line("ink", 1.3, "6 3"));
  const [forwardDot, centralDot] = [dot("data"), dot("ink")];
  const noError = svg("text", { "text-anchor": "middle", text: "no exact slope here: nothing to compare with" });
  errors.inside.append(here, central, forward, centralDot, forwardDot, noError);
  const errorTitle = put(words("ink"), { text: "Error of the slope, for every h" });
  const forwardKey = [svg("path", line("data", 1.8)), words("ink", 400)];
  const centralKey = [svg("path", line("ink", 1.3, "6 3")), words("ink", 400)];
  const reasons = {
    "round-off": ["◂ small h: round-off", "f(x + h) and f(x)", "agree in nearly", "all their digits"],
    bending: ["large h: bending ▸", "the curve bends", "away from the", "straight line"],
  };
  const reasonText = {};
  for (const name in reasons) {
    reasonText[name] = reasons[name].map((text) => svg("text", { "text-anchor": name === "bending" ? "end" : "start", text }));
  }
  picture.append(curveTitle, axis, ...secantKey, ...tangentKey, errorTitle, ...forwardKey, ...centralKey,
    ...Object.values(reasonText).flat());

  // the last formula that Python could read, the first of its programs: shown until there is another
  const [text, program] = Object.entries(lab.get("programs"))[0];
  let drawn = { text, program };

  lab.follow("programs problem", lab.redraw);

  function draw(width) {
    const programs = lab.get("programs");
    const program = Object.hasOwn(programs, lab.get("f")) && programs[lab.get("f")];
    if (program) drawn = { text: lab.get("f"), program };
    if (field) put(field, { "aria-invalid": !program && lab.get("problem") ? "true" : null });
    const now = look(drawn.text, drawn.program, lab.get("x"), lab.get("h"));

    // the two plots stand side by side, or in a narrow notebook one below the other
    const beside = width >= 540;
    const each = beside ? (width - 20) / 2 : width;
    const high = width >= 700 ? 290 : 240;
    const right = beside ? { x: each + 20, y: 0 } : { x: 0, y: high + 110 };
    put(picture, { width, height: right.y + high + 108 });
    drawCurve(now, each, beside ? high : high - 20);
    drawErrors(now, right.x, right.y, each, high - 66);

    if (program) lab.say(sentence(now) + aside(now));
    else if (lab.get("problem")) lab.say(`The picture still shows ${drawn.text}. ${sentence(now)}`);
    else lab.say(`Python is reading ${lab.get("f")} …`);
  }

  // what the picture shows beyond the numbers
  function aside({ here, there, h }) {
    if (lab.get("zoom")) {
      return curve.stairs ? " Zoomed in this far, the curve is a staircase: each tread is one of the floats that x can be." : "";
    }
    const apart = Math.abs(curve.x(h) - curve.x(0));
    return Number.isFinite(there) && Number.isFinite(here) && apart < 6
      ? " The two points are too close to be told apart here: switch on the zoom." : "";
  }

  function drawCurve(now, width, height) {
    const { x, h, here, there, secant, slope, left, right } = now;
    const zoom = lab.get("zoom");
    const { base, view, points, stairs } = window_(now, zoom);
    curve.stairs = stairs;
    const box = { x: 58, y: 68, width: width - 64, height };
    const [y0, y1] = [here - base, there - base];
    const level = (y) => ((view.top - y) / (view.top - view.bottom)) * height;
    const columns = zoom
      ? [[0, "x"], [h, "x + h"]]
      : ticks(view.low + x, view.high + x, width / 40).map(([v, text]) => [v - x, text]);
    const rows = !zoom ? ticks(view.bottom, view.top, 6)
      : [[y0, "f(x)"], [y1, "f(x + h)"]].filter(([y], i) => Number.isFinite(y) && (i === 0 || Math.abs(level(y0) - level(y)) > 14));
    curve.place(box, view, columns, rows);
    put(parts.curve, { d: curve.path(points) });

    const first = [curve.x(0), curve.y(y0)];
    const second = [curve.x(h), curve.y(y1)];
    const twoPoints = Number.isFinite(y0) && Number.isFinite(y1);
    show(parts.here, Number.isFinite(y0));
    show(parts.there, twoPoints);
    if (Number.isFinite(y0)) put(parts.here, { cx: first[0], cy: first[1] });
    if (twoPoints) put(parts.there, { cx: second[0], cy: second[1] });
    put(parts.secant, { d: twoPoints ? straight(first, secant, 1, 1) : "" });
    const kink = Number.isNaN(slope);
    put(parts.tangent, { d: !Number.isFinite(y0) ? ""
      : kink ? straight(first, left, 1, 0) + straight(first, right, 0, 1) : straight(first, slope, 1, 1) });

    // the triangle under the secant: h across, the difference up
    const wide = twoPoints && second[0] - first[0] > 34;
    put(parts.run, { d: wide ? `M${first}H${second[0]}V${second[1]}` : "" });
    const below = second[1] <= first[1];
    show(parts.runText, wide);
    if (wide) put(parts.runText, { x: (first[0] + second[0]) / 2, y: first[1] + (below ? 16 : -8), text: `h = ${brief(h)}` });

    show(axis, !zoom);
    put(axis, { x: box.x + box.width / 2, y: box.y + height + 32 });
    put(curveTitle, { x: 0, y: 16, text: cut(`f(x) = ${now.text}`, width) });
    key(secantKey, 0, 36, twoPoints ? `secant: slope ${slopeText(now)}` : "no secant: no second point");
    put(secantKey[1], { cx: 14, cy: 32, r: 4 });
    key(tangentKey, 0, 55, Number.isFinite(slope) ? `tangent: exact slope ${digits(slope, 6)}`
      : Number.isFinite(left) && Number.isFinite(right) ? `kink: slope ${digits(left, 4)} left, ${digits(right, 4)} right`
        : "no tangent");
  }

  // a line through a point in pixels, as far as it can be seen: back and ahead say to which sides
  function straight([px, py], slope, back, ahead) {
    const { box, view } = curve;
    let steep = (-slope * (view.high - view.low) / (view.top - view.bottom)) * (box.height / box.width);
    if (Number.isNaN(steep)) return "";
    steep = Math.max(-1e6, Math.min(1e6, steep)); // upright
    const reach = 3000 / Math.hypot(1, steep);
    const end = (t) => `${(px + t).toFixed(2)} ${(py + t * steep).toFixed(2)}`;
    return `M${end(-reach * back)}L${end(reach * ahead)}`;
  }

  function drawErrors(now, x, y, width, height) {
    const { slope, h } = now;
    const log10 = (e) => (Number.isFinite(e) ? Math.log10(Math.max(e, NOTHING)) : NaN);
    const curves = [now.forward, now.central].map((rule) =>
      SAMPLES.map((step) => [Math.log10(step), log10(Math.abs(rule(step) - slope))]));
    const top = Math.ceil(Math.max(1, ...curves.flat().map(([, e]) => e).filter(Number.isFinite))) + 0.3;
    const box = { x: x + 58, y: y + 68, width: width - 78, height };
    errors.place(box, { low: -16.4, high: 0.4, bottom: -17.6, top },
      [[-16, "1e-16"], [-12, "1e-12"], [-8, "1e-8"], [-4, "1e-4"], [0, "h = 1"]],
      [[-17, "≈ 0"], [-12, "1e-12"], [-8, "1e-8"], [-4, "1e-4"], [0, "1"]]);
    const known = Number.isFinite(slope);
    [forward, central].forEach((element, i) => put(element, { d: known ? errorPath(curves[i]) : "" }));
    const column = errors.x(Math.log10(h));
    put(here, { d: `M${column} ${box.y}V${box.y + box.height}` });
    for (const [mark, error] of [[forwardDot, now.error], [centralDot, now.centralError]]) {
      show(mark, known && Number.isFinite(error));
      if (Number.isFinite(error)) put(mark, { cx: column, cy: errors.y(log10(error)) });
    }
    show(noError, !known);
    put(noError, { x: box.x + box.width / 2, y: box.y + box.height / 2 });

    put(errorTitle, { x, y: y + 16 });
    const value = (error) => (Number.isFinite(error) ? brief(error) : "none");
    key(forwardKey, x, y + 36, `forward (secant): error ${value(now.error)}`);
    key(centralKey, x, y + 55, `central: error ${value(now.centralError)}`);
    for (const name in reasons) {
      reasonText[name].forEach((element, i) => put(element, {
        x: name === "bending" ? x + width - 2 : x,
        y: box.y + box.height + 40 + 17 * i,
        class: side(now) === name ? "" : "ll-muted",
        "font-weight": side(now) === name ? 650 : 400,
      }));
    }
  }

  // errors of (nearly) 0 are marks at the foot: a line down to them would look like an error in between
  function errorPath(points) {
    const foot = Math.log10(NOTHING);
    return errors.path(points.map(([h, e]) => [h, e > foot ? e : NaN])) +
      points.filter(([, e]) => e <= foot).map(([h]) => `M${errors.x(h) - 1.5} ${errors.y(foot)}h3`).join("");
  }

  // a line of the key: the stroke, then the words
  function key(elements, x, y, text) {
    put(elements[0], { d: `M${x} ${y - 4}h28` });
    put(elements[elements.length - 1], { x: x + 36, y, text });
  }

  const cut = (text, width) => (text.length * 7.5 > width ? `${text.slice(0, Math.floor(width / 7.5) - 1)}…` : text);

  return lab.dispose;
}

export default { render };
