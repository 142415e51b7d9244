// The learning-rate lab. landscape.js walks down in the page, so that sliding asks Python for nothing.

const THERE = 0.1; // as near as this to a minimum is there

const RATES = []; // what the slider offers: 1e-5, 1.05e-5, ... 2e-5, 2.1e-5, ... 5e-5, 5.25e-5, ... 10
for (let power = -5; power < 1; power++) {
  for (let n = 100; n < 1000; n += n < 200 ? 5 : n < 500 ? 10 : 25) RATES.push(Number(`${n / 100}e${power}`));
}
RATES.push(10);

// -- the verdict, and its reason ------------------------------------------------------------------------

const brief = (value) => minus(Math.abs(value) >= 1e6 ? value.toExponential(1).replace("+", "") : digits(value, 3));
// near 1 the digits that count are those of the difference to 1
const factor = (value) => minus(digits(value, Math.max(3, 1 - Math.floor(Math.log10(Math.abs(1 - Math.abs(value)) || 1)))));
const percent = (share) => (share < 0.001 ? "less than 0.1 %"
  : share > 0.999 ? "over 99.9 %" : `${digits(100 * share, share > 0.99 ? 3 : 2)} %`);
const isSeen = ({ x, y }) => x >= SEEN.low && x <= SEEN.high && y >= SEEN.bottom && y <= SEEN.top;
const between = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

// what there is to say of a way down: { kind, headline, words, limit, at: the step to mark, or null }
function judge(name, land, places, settings) {
  const last = places.length - 1;
  const end = places.findLastIndex(isSeen); // after it the path is out of the picture for good
  const target = land.minima.reduce((best, one) => (between(one, places[end]) < between(best, places[end]) ? one : best));
  const limit = (2 * (1 + settings.momentum)) / target.bend;
  const calm = Array.from({ length: last }, (_, step) => step).find((step) => rateAt(step, settings) < limit);
  const now = { name, places, settings, end, last, target, limit, calm };
  const verdict = (kind, headline, words, at = null) =>
    ({ kind, headline, limit, at, words: [words, ...reasons(kind, now)].join(" ") });

  if (end < last) {
    const at = end + 1;
    if (name === "network") {
      return verdict("left", `leaves the picture at step ${at}`,
        `Leaves the picture at step ${at}, and ends there: outside no loss was computed.`, at);
    }
    const far = Number.isFinite(places[last].loss) ? `after step ${last} the loss is ${brief(places[last].loss)}`
      : `at step ${last} the loss is too large for a float`;
    return verdict("diverges", `diverges at step ${at}`,
      `Diverges: at step ${at} the path leaves the picture for good, and ${far}.`, at);
  }

  const away = places.map((place) => between(place, target));
  const lengths = places.slice(1).map((place, i) => between(place, places[i]));
  const turns = places.slice(1).map(({ x, y }, i) => {
    const [here, before] = [places[i], places[i - 1]];
    return i > 0 && (x - here.x) * (here.x - before.x) + (y - here.y) * (here.y - before.y) < 0;
  });
  const arrived = away.findLastIndex((distance) => distance > THERE) + 1; // from this step on it stays there
  const turned = turns.slice(0, arrived).filter(Boolean).length;
  // with momentum it can come near, and be carried away again
  let nearest = Infinity;
  const carried = settings.momentum > 0 && away.slice(0, arrived).some((distance) => {
    nearest = Math.min(nearest, distance);
    return distance > nearest + 3 * THERE;
  });
  const manner = turned >= 4 && turned > arrived / 2 ? "zig-zags" : carried ? "swings" : turned >= 4 ? "zig-zags" : "";
  const one = land.minima.length > 1 ? "nearest minimum" : "lowest place";
  const left = `the ${one} is still ${brief(away[last])} away`;

  if (arrived === 0) {
    return verdict("there", "there from the start",
      "The start is at a minimum already: the gradient is 0 there, or nearly, and the path stays.");
  }
  // who comes near with the last steps may be passing by
  if (arrived <= last - 3 || (arrived <= last && settings.momentum === 0 && calm !== undefined)) {
    if (target.loss > land.minima[0].loss + 1e-6) {
      return verdict("worse", "ends in the worse minimum", `Ends in the worse minimum, at step ${arrived}: ` +
        `the loss is ${brief(target.loss)} there, and ${brief(land.minima[0].loss)} in the other one.`, arrived);
    }
    const where = `arrives at the ${land.minima.length > 1 ? "better minimum" : one} at step ${arrived}, and stays.`;
    return manner
      ? verdict("late", `${manner}, but arrives at step ${arrived}`, `${capital(manner)}, but ${where}`, arrived)
      : verdict("good", `good: arrives at step ${arrived}`, `Good: ${where}`, arrived);
  }

  const [, flattest] = principal(land.f, places[last].x, places[last].y);
  if (places[last].slope < 0.02 && flattest < -0.01) {
    return verdict("saddle", "stuck on a saddle", "Stuck on a saddle: the gradient is 0 here, or nearly, and yet there is a way " +
      "down on both sides. Move the start a little.");
  }
  // too high a rate up to the end, or steps that still turn back
  const restless = calm === undefined && turned >= 3;
  const lately = turns.slice(-10);
  if (restless || lately.filter(Boolean).length > lately.length / 2) {
    const sum = (from) => lengths.slice(from, from + 4).reduce((all, length) => all + length, 0);
    const ratio = sum(Math.max(0, last - 4)) / sum(Math.max(0, Math.floor(last / 2) - 2));
    if (restless && ratio > 1.001 && places[last].loss > places[0].loss) {
      return verdict("grows", "diverges, slowly", "Diverges, slowly: the steps grow, and so does the loss, from " +
        `${brief(places[0].loss)} to ${brief(places[last].loss)}.`);
    }
    return restless || ratio > 0.999
      ? verdict("bounces", "jumps about, never settles", `Jumps about: after ${last} steps ${left}, and it does not settle.`)
      : verdict("zig-zags", "zig-zags, not there yet",
        `Zig-zags: the steps turn back again and again, each time a little shorter; after ${last} of them ${left}.`);
  }
  if (manner === "swings") {
    return verdict("swings", "swings, not settled yet",
      `Swings: momentum carries it past the ${one}; after ${last} steps ${left}.`);
  }
  if (manner) {
    return verdict("slow", `${manner}, not there yet`,
      `${capital(manner)} at first, and then is slow: after ${last} steps ${left}.`);
  }
  const done = (places[0].loss - places[last].loss) / (places[0].loss - target.loss);
  return done < 0.5
    ? verdict("crawls", "crawls",
      `Crawls: ${last === 1 ? "1 step makes" : `${last} steps make`} ${percent(done)} of the way down.`)
    : verdict("slow", "slow, not there yet",
      `Slow: ${percent(done)} of the way down is done after ${last} steps, but ${left}.`);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// why: sentences
function reasons(kind, { name, places, settings, end, last, limit, calm, target }) {
  const { rate, momentum, decay } = settings;
  const { bends } = LANDSCAPES[name];
  const out = kind === "diverges" || kind === "left";
  const said = [];
  if (kind === "there" || kind === "saddle") return said;
  if (!out && !places.every(isSeen)) said.push("On the way it leaves the picture, and comes back.");
  if (bends && momentum === 0) {
    const [across, along] = bends;
    // with spaces that do not break
    const times = (bend) => `1 − ${bend} · rate = ${factor(1 - rate * bend)}`.replaceAll(" ", "\u00a0");
    const [now, unequal] = [1 - rate * across, across !== along];
    said.push(`${decay === "none" ? "Each" : "The first"} step multiplies the distance ` +
      `${unequal ? "across the valley" : "to the lowest place"} by ${times(across)}` +
      (now < -1 ? ": more than 1 in size, so the distance grows. Any rate above 1 does that."
        : now === -1 ? ": as far away as before, on the other side."
          : unequal ? `${now < 0 ? " (from side to side)" : ""}, and the distance along it by ${times(along)}.`
            : now < 0 ? ": it lands on the other side, but nearer."
              : now === 0 ? ": one step is enough." : "."));
  } else if (kind === "crawls") {
    said.push(`The rate times a gradient of ${brief(places[0].slope)} is a first step of ` +
      `${brief(rate * places[0].slope)}, in a picture 6 wide.`);
  } else if (kind === "slow" && rate <= limit) {
    said.push(decay === "none" ? `The gradient is down to ${brief(places[last].slope)}, and so the steps are short.`
      : "Decay has made the steps short.");
  } else if (out && rate <= limit) {
    const steepest = places.slice(0, end + 1).reduce((best, place, i) => (place.slope > places[best].slope ? i : best), 0);
    said.push(`At step ${steepest + 1} the gradient is ${brief(places[steepest].slope)} long and the step ` +
      `${brief(between(places[steepest], places[steepest + 1]))}, in a picture 6 wide.`);
  } else if (rate > limit && momentum === 0) {
    said.push(`Near this minimum the slope changes by ${brief(target.bend)} per unit: with a rate above ` +
      `2 / ${brief(target.bend)} = ${brief(limit)} a step ends further away than it began.`);
  } else {
    said.push(`The rate is ${rate > limit ? "above" : "below"} the limit, ` +
      `${momentum > 0 ? `with this momentum ${brief(limit)}` : brief(limit)} here.`);
  }
  if (momentum > 0) {
    said.push(`Momentum adds ${digits(momentum, 4)} of each step to the next: steps in one direction grow up to ` +
      `${brief(1 / (1 - momentum))} times as long.`);
  }
  if (rate > limit && decay !== "none" && calm !== undefined) {
    said.push(`From step ${calm + 1} on the decayed rate is below the limit, ${brief(limit)}` +
      (out ? ": too late." : ", and the steps calm down."));
  }
  return said;
}

// -- the picture ------------------------------------------------------------------------------------

const line = (color, width, dash = "none") => ({
  style: `fill: none; stroke: var(--ll-${color}); stroke-width: ${width}; stroke-dasharray: ${dash}; stroke-linejoin: round`,
});
const dots = (color, width) => ({ "stroke-width": width, style: `fill: none; stroke: var(--ll-${color}); stroke-linecap: round` });
const words = (color, weight = 400) => svg("text", { style: `fill: var(--ll-${color}); font-weight: ${weight}` });
const show = (element, visible) => put(element, { display: visible ? null : "none" });
const surveys = {};

function render(page) {
  const lab = frame(page, "learning_rate", draw);
  const known = lab.get("slice").rows || !lab.alone; // only Python can compute a real network's loss
  const names = Object.keys(LANDSCAPES).filter((name) => name !== "network" || known);
  select(lab, {
    label: "landscape", name: "landscape",
    options: names.map((name) => [name, name === "network" ? "a real network" : name]),
  });
  slider(lab, { label: "learning rate", name: "rate", values: RATES, show: (rate) => digits(rate, 4) });
  newRow(lab);
  select(lab, {
    label: "decay", name: "decay",
    options: [["none", "none"], ["step", "step (halves)"], ["linear", "linear"], ["cosine", "cosine"]],
  });
  slider(lab, { label: "momentum", name: "momentum", min: 0, max: 0.95, step: 0.05, show: (m) => digits(m, 4) });
  newRow(lab);
  slider(lab, { label: "start x", name: "x", min: SEEN.low, max: SEEN.high, step: 0.05, show: (x) => minus(digits(x, 4)) });
  slider(lab, { label: "start y", name: "y", min: SEEN.bottom, max: SEEN.top, step: 0.05, show: (y) => minus(digits(y, 4)) });
  if (!known) remark(lab, "In the notebook there is one more landscape: the loss of a real network.");

  const picture = svg("svg", { role: "img", "aria-label": "The path on the landscape; the loss and the rate at each step" });
  const note = html("p", { style: "color: var(--ll-muted); font-size: 13px; min-height: 3em; margin-top: 4px" });
  lab.stage.append(picture, note);

  // left: the landscape and the path
  const map = plot(picture);
  const shade = svg("image", { preserveAspectRatio: "none" });
  const contours = svg("path", { ...line("data", 0.8), opacity: 0.55, "vector-effect": "non-scaling-stroke" });
  const minima = svg("path", line("ink", 1.8));
  const trail = svg("path", line("gradient", 1.6));
  const beads = svg("path", dots("gradient", 5.5));
  const arrow = svg("path", { style: "fill: var(--ll-gradient)" });
  const finish = svg("rect", { width: 10, height: 10, style: "fill: var(--ll-ink); stroke: var(--ll-paper); stroke-width: 1.5" });
  const start = svg("circle", { r: 5.5, style: "fill: var(--ll-paper); stroke: var(--ll-ink); stroke-width: 2" });
  const [startText, endText] = [0, 0].map(() => svg("text", { class: "ll-halo", style: "font-weight: 600" }));
  const marks = svg("g", { style: "pointer-events: none" }, finish, start, startText, endText); // above the edge of the plot
  map.inside.append(shade, contours, minima, trail, beads, arrow);
  const [mapTitle, mapFormula] = [words("data", 600), words("ink")];
  const [xName, yName] = ["x", "y"].map((text) => svg("text", { class: "ll-muted", "text-anchor": "middle", text }));

  // right: the loss, and below it the learning rate
  const losses = plot(picture);
  const floors = svg("path", line("data", 1.2, "6 4"));
  const mark = svg("path", line("ink", 1.2, "2 3"));
  const curve = svg("path", line("gradient", 1.6));
  const curveBeads = svg("path", dots("gradient", 5.5));
  const markDot = svg("path", dots("ink", 9));
  losses.inside.append(floors, mark, curve, curveBeads, markDot);
  const floorTexts = svg("g");
  const rates = plot(picture);
  const bar = svg("path", line("ink", 1.3, "6 4"));
  const rateLine = svg("path", line("data", 2.2));
  rates.inside.append(bar, rateLine);
  const [lossTitle, lossKey, rateKey] = [words("ink", 600), words("muted"), words("muted")];
  const stepName = svg("text", { class: "ll-muted", "text-anchor": "middle", text: "step" });
  picture.append(marks, mapTitle, mapFormula, xName, yName, lossTitle, lossKey, floorTexts, rateKey, stepName);

  lab.follow("slice steps", lab.redraw);

  // press or drag in the landscape: the start goes there
  const place = (event) => {
    const frame = picture.getBoundingClientRect();
    const { box } = map;
    const [a, b] = [(event.clientX - frame.left - box.x) / box.width, (event.clientY - frame.top - box.y) / box.height];
    if (!(a >= 0 && a <= 1 && b >= 0 && b <= 1)) return;
    const round = (value) => Number((Math.round(value * 20) / 20).toFixed(2));
    lab.set({ x: round(SEEN.low + a * (SEEN.high - SEEN.low)), y: round(SEEN.top - b * (SEEN.top - SEEN.bottom)) });
  };
  lab.listen(map.inside, "pointerdown", (event) => {
    event.preventDefault();
    map.inside.setPointerCapture(event.pointerId);
    place(event);
  });
  lab.listen(map.inside, "pointermove", (event) => map.inside.hasPointerCapture(event.pointerId) && place(event));

  // the landscape that is chosen; null while Python still computes it
  function land(name) {
    if (!surveys[name]) {
      const { f } = LANDSCAPES[name];
      if (!f && !lab.get("slice").rows) return null;
      surveys[name] = survey(f || slice(lab.get("slice")));
    }
    return surveys[name];
  }

  function draw(width) {
    const settings = Object.fromEntries(["x", "y", "rate", "momentum", "decay", "steps"].map((name) => [name, lab.get(name)]));
    const name = lab.get("landscape");
    const ground = land(name);
    put(picture, { opacity: ground ? null : 0.3 });
    if (!ground) {
      lab.say("Python is computing the loss of a real network at 1,785 places …");
      return;
    }
    const places = walk(ground.f, settings);
    const verdict = judge(name, ground, places, settings);

    // the two plots stand side by side, or in a narrow notebook one below the other
    const beside = width >= 540;
    const each = beside ? (width - 24) / 2 : width;
    const wide = beside ? each : Math.min(each, 520);
    const high = ((wide - 42) * (SEEN.top - SEEN.bottom)) / (SEEN.high - SEEN.low);
    const below = beside ? Math.max(high, 220) : 250;
    const right = beside ? { x: each + 24, y: 0 } : { x: 0, y: high + 112 };
    put(picture, { width, height: right.y + 52 + below + 40 });
    drawMap(name, ground, places, verdict, { x: 36, y: 52, width: wide - 42, height: high });
    drawLosses(name, ground, places, verdict, settings, { x: right.x, y: right.y, width: each, height: below });
    put(note, { text: `${LANDSCAPES[name].note || ""}Darker is lower, × is a minimum; press in the landscape to start there. ` +
      "With a rate above the limit, steps near a minimum grow." });
    lab.say(verdict.words);
  }

  function drawMap(name, ground, places, { at }, box) {
    const range = (n, low) => Array.from({ length: n }, (_, i) => [low + i, minus(String(low + i))]);
    map.place(box, SEEN, range(7, SEEN.low), range(5, SEEN.bottom));
    const [gapX, gapY] = [box.width / (COLUMNS - 1), box.height / (ROWS - 1)];
    if (shade.dataset.name !== name) {
      shade.dataset.name = name;
      put(shade, { href: shading(ground) });
      put(contours, { d: ground.contours });
    }
    put(shade, { x: box.x - gapX / 2, y: box.y - gapY / 2, width: box.width + gapX, height: box.height + gapY });
    put(contours, { transform: `translate(${box.x} ${box.y + box.height}) scale(${gapX} ${-gapY})` });
    put(minima, { d: ground.minima.map((one) => `M${at2(one, -5, -5)}l10 10m0 -10l-10 10`).join("") });

    const shown = places.slice(0, at !== null && !isSeen(places[at]) ? at + 1 : places.length);
    const pieces = shown.slice(1).map((to, i) => [shown[i], to]).filter(([from, to]) => near(from) || near(to));
    put(trail, { d: pieces.map(([from, to]) => `M${at2(shorten(to, from))}L${at2(shorten(from, to))}`).join("") });
    put(beads, { d: shown.filter(near).map((one) => `M${at2(one)}h0`).join("") });

    const last = shown[shown.length - 1];
    const out = !isSeen(last);
    const exit = out ? edge(shown[shown.length - 2], last) : last;
    show(arrow, out);
    show(finish, !out);
    if (out) put(arrow, { d: head(shown[shown.length - 2], exit) });
    else put(finish, { x: map.x(last.x) - 5, y: map.y(last.y) - 5 });
    put(start, { cx: map.x(places[0].x), cy: map.y(places[0].y) });
    // words are put where they cover neither a minimum nor the path
    const line = [...shown.slice(0, -1), exit];
    const crosses = ground.minima.flatMap(({ x, y }) => [-0.1, 0, 0.1].map((beside) => ({ x: x + beside, y })));
    const along = line.slice(1).flatMap((to, i) => Array.from({ length: 16 }, (_, k) =>
      ({ x: to.x + (k / 16) * (line[i].x - to.x), y: to.y + (k / 16) * (line[i].y - to.y) })));
    const busy = [...crosses, ...along].map(({ x, y }) => [map.x(x), map.y(y)]);
    const step = `step ${shown.length - 1}`;
    const one = Math.hypot(map.x(places[0].x) - map.x(exit.x), map.y(places[0].y) - map.y(exit.y)) < 12;
    busy.push(...label(startText, places[0], one ? `start, ${step}` : "start", busy));
    label(endText, exit, one ? "" : step, busy);
    put(xName, { x: box.x + box.width / 2, y: box.y + box.height + 33 });
    put(yName, { x: 8, y: box.y + box.height / 2 + 4 });
    put(mapTitle, { x: 0, y: 16, text: LANDSCAPES[name].title });
    put(mapFormula, { x: 0, y: 36, text: LANDSCAPES[name].formula });
  }

  const at2 = ({ x, y }, right = 0, down = 0) => `${(map.x(x) + right).toFixed(2)} ${(map.y(y) + down).toFixed(2)}`;
  const FAR = 60; // as a place, in units of the landscape
  const near = ({ x, y }) => Math.hypot(x, y) < FAR;
  // a place far away is drawn nearer, in the same direction as seen from the other end
  const shorten = (from, to) => {
    const part = near(to) ? 1 : FAR / between(from, to);
    return { x: from.x + part * (to.x - from.x), y: from.y + part * (to.y - from.y) };
  };

  // where the way from a place inside to one outside crosses the edge
  function edge(from, far) {
    const to = shorten(from, far);
    const part = (a, b, low, high) => (b === a ? Infinity : ((b > a ? high : low) - a) / (b - a));
    const share = Math.min(part(from.x, to.x, SEEN.low, SEEN.high), part(from.y, to.y, SEEN.bottom, SEEN.top));
    return { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) };
  }

  // the head of an arrow at the end of a way
  function head(from, to) {
    const [x, y] = [map.x(to.x), map.y(to.y)];
    const angle = Math.atan2(from.y - to.y, to.x - from.x);
    const barb = (turn) => `${(x + 15 * Math.cos(angle + turn)).toFixed(2)} ${(y + 15 * Math.sin(angle + turn)).toFixed(2)}`;
    return `M${at2(to)}L${barb(2.7)}L${barb(-2.7)}Z`;
  }

  // words beside a place, inside the box, where they cover the least of `busy`; returns what they cover, for the next words
  function label(element, { x, y }, text, busy) {
    const { box } = map;
    const [px, py, width] = [map.x(x), map.y(y), 7.4 * text.length];
    const spots = [-1, 1, -2, 2, -3, 3].flatMap((down) => [1, -1].map((right) => {
      const [left, middle] = [right > 0 ? px + 9 : px - 9 - width, py + (down > 0 ? 14 : -13) + (down - Math.sign(down)) * 16];
      const outside = left < box.x || left + width > box.x + box.width || middle < box.y + 9 || middle > box.y + box.height - 9;
      const covered = busy.filter(([bx, by]) => bx > left - 4 && bx < left + width + 4 && Math.abs(by - middle) < 11).length;
      return { left, middle, cost: covered + Math.abs(down) / 10 + (outside ? 1e6 : 0) };
    }));
    const { left, middle } = spots.reduce((best, spot) => (spot.cost < best.cost ? spot : best));
    put(element, { x: left, y: middle + 4.5, text });
    return Array.from({ length: 2 * text.length }, (_, i) => [left + 3.7 * i, middle]);
  }

  // one pixel for each height, blue where it is low
  function shading({ heights, low, high }) {
    const canvas = html("canvas", { width: COLUMNS, height: ROWS });
    const brush = canvas.getContext("2d");
    brush.fillStyle = getComputedStyle(lab.stage).getPropertyValue("--ll-data");
    heights.forEach((line, j) => line.forEach((height, i) => {
      brush.globalAlpha = 0.45 * (1 - Math.sqrt((height - low) / (high - low)));
      brush.fillRect(i, ROWS - 1 - j, 1, 1);
    }));
    return canvas.toDataURL();
  }

  function drawLosses(name, ground, places, { headline, at, limit }, settings, { x, y, width, height }) {
    const { decades } = LANDSCAPES[name];
    const { rate, steps } = settings;
    const margin = ground.minima[0].loss > 0 ? 62 : 18;
    const box = { x: x + 60, y: y + 52, width: width - 60 - margin, height: height - 86 };
    const [least, most] = decades;
    const every = most - least > 6 ? 4 : 1;
    const powers = Array.from({ length: 20 }, (_, i) => (Math.ceil(least / every) + i) * every).filter((power) => power <= most);
    const view = { low: 0, high: steps, bottom: least - 0.3, top: most + 0.3 };
    losses.place(box, view, [], powers.map((power) =>
      [power, `${least === power && every > 1 ? "≤ " : ""}${Math.abs(power) > 3 ? `1e${power}` : 10 ** power}`]));
    // above the top the curve leaves the plot; below the foot it runs along it
    const level = (loss) => (Number.isFinite(loss) ? Math.log10(Math.max(loss, 10 ** least)) : name === "network" ? NaN : 400);
    const points = places.map(({ loss }, step) => [step, level(loss)]);
    put(curve, { d: losses.path(points) });
    const bead = Math.min(5.5, 0.8 * (box.width / steps));
    const beads = bead < 2 ? [] : points.filter(([, v]) => v <= view.top);
    put(curveBeads, {
      "stroke-width": bead,
      d: beads.map(([step, v]) => `M${losses.x(step).toFixed(2)} ${losses.y(v).toFixed(2)}h0`).join(""),
    });
    const marked = at !== null && at > 0;
    put(mark, { d: marked ? `M${losses.x(at)} ${box.y}v${box.height}` : "" });
    put(markDot, { d: marked && points[at][1] <= view.top ? `M${losses.x(at)} ${losses.y(points[at][1])}h0` : "" });
    const seen = ground.minima.filter(({ loss }) => loss > 0);
    put(floors, { d: seen.map(({ loss }) => `M${box.x} ${losses.y(Math.log10(loss))}h${box.width}`).join("") });
    pool(floorTexts, seen.length, () => svg("text")).forEach((element, i) => put(element, {
      x: box.x + box.width + 6, y: losses.y(Math.log10(seen[i].loss)) + 4, text: `× ${digits(seen[i].loss, 2)}`,
    }));
    put(lossTitle, { x, y: y + 16, text: capital(headline) });
    put(lossKey, { x, y: y + 36, text: `loss at each step${marked ? `; dotted: step ${at}` : ""}` });

    const strip = { x: box.x, y: box.y + box.height + 30, width: box.width, height: 56 };
    const top = 1.2 * rate;
    rates.place(strip, { low: 0, high: steps, bottom: 0, top }, ticks(0, steps, 5), [[0, "0"], [rate, digits(rate, 3)]]);
    put(rateLine, { d: rates.path(Array.from({ length: steps }, (_, step) => rateAt(step, settings))
      .flatMap((one, step) => [[step, one], [step + 1, one]])) });
    put(bar, { d: limit < top ? `M${strip.x} ${rates.y(limit)}h${strip.width}` : "" });
    const limitText = `${limit < top ? "dashed: the limit" : "the limit is"} ${brief(limit)}`;
    put(rateKey, { x, y: strip.y - 9, text: `learning rate; ${limitText}` });
    put(stepName, { x: strip.x + strip.width / 2, y: strip.y + strip.height + 33 });
  }

  return lab.dispose;
}

export default { render };
