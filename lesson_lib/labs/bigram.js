// The bigram lab. Python counts the pairs once and hands over the model's logits; everything else is done here.

const ROWS = 12; // bars shown of a row

// -- what there is to know -----------------------------------------------------------------------------

// the probabilities p^(1/T) / sum, from logits or logarithms of p or of counts; null for a row without anything in it
function probabilities(logits, temperature) {
  const top = Math.max(...logits);
  if (top === -Infinity) return null;
  const weights = logits.map((logit) => Math.exp((logit - top) / temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

const counted = (counts, temperature) => probabilities(counts.map(Math.log), temperature);
// JSON has no -Infinity: it comes as null
const learned = (logits, temperature) => probabilities(logits.map((logit) => logit ?? -Infinity), temperature);
const difference = (learnedRow, countedRow) => countedRow && learnedRow.map((p, i) => p - countedRow[i]);

const total = (counts) => counts.reduce((a, b) => a + b, 0);
const ranked = (row) => row.map((_, i) => i).sort((i, j) => Math.abs(row[j]) - Math.abs(row[i]) || i - j);

// -- in words ------------------------------------------------------------------------------------------

const whole = (n) => n.toLocaleString("en-US");

// in n digits, and without an exponent: nothing shown here is below 0.0001
const short = (value, n) => String(Number(value.toPrecision(n)));

// a probability in three digits, and never 0 or 1 for what is not
function chance(p) {
  if (p === 0 || p === 1) return String(p);
  if (p < 0.0001) return "<0.0001";
  return p >= 0.9995 ? ">0.999" : short(p, p < 0.01 ? 2 : 3);
}

function percent(part, all) {
  const share = (100 * part) / all;
  return `${part === all ? "100" : share > 99.9 ? "more than 99.9" : share < 0.01 ? "less than 0.01" : short(share, share < 10 ? 2 : 3)} %`;
}

const signed = (d) => {
  const size = Math.abs(d);
  return size < 0.0001 ? "0" : `${d < 0 ? "−" : "+"}${short(size, 2)}`;
};

// what the text says of the pair
function countedWords({ names, counts, first, second }) {
  const [a, b] = [names[first], names[second]];
  const [count, all] = [counts[first][second], total(counts[first])];
  if (!all) return `Nothing comes after ${a} in this text: it occurs only as the last character.`;
  const places = all === 1 ? "its only place" : `its ${whole(all)} places`;
  if (!count) return `After ${a} never comes ${b} in ${places}.`;
  return all === 1 ? `After ${a} comes ${b} in ${places}.` : `After ${a} comes ${b} in ${percent(count, all)} of ${places}.`;
}

// what the temperature does to the row; `plain` is the row at temperature 1
function temperatureWords({ names, view, temperature, row, plain }) {
  if (temperature === 1 || !row) return "";
  const top = ranked(row)[0];
  const t = short(temperature, 3);
  if (chance(row[top]) === chance(plain[top])) return `Temperature ${t} changes nothing in this row.`;
  const change = `The most probable one, ${names[top]}, has ${chance(row[top])} now; at temperature 1 it has ${chance(plain[top])}.`;
  if (temperature < 1) {
    return row[top] > 0.95 ? `At temperature ${t} nearly always the most probable character is drawn. ${change}`
      : `Temperature ${t} favours what is probable. ${change}`;
  }
  const never = view === "counted" && row.includes(0) ? " What was never seen stays at 0 at any temperature." : "";
  return `Temperature ${t} ${temperature < 2 ? "evens the row out" : "flattens the row a lot"}. ${change}${never}`;
}

// now: names, counts, view, temperature, first and second are the model's; row: the one that samples are drawn from;
// learnedRow, countedRow: the two that are compared; walked: whether the pair is the sample's last, drawn with `odds`
function sentence(now) {
  const { names, view, temperature, first, second, row, walked, odds, learnedRow, countedRow } = now;
  const [a, b] = [names[first], names[second]];
  const at = temperature === 1 ? "" : ` at temperature ${short(temperature, 3)}`;
  const parts = [];
  if (walked) parts.push(`From the row of ${a} the character ${b} was drawn; its probability was ${chance(odds)}.`);
  if (view === "counted" && !walked) {
    parts.push(countedWords(now), row && at && `Its probability${at} is ${chance(row[second])}.`);
  } else if (view === "learned" && !walked) {
    parts.push(`The learned table gives ${b} after ${a} the probability ${chance(row[second])}${at}.`, countedWords(now));
  } else if (view === "difference" && !countedRow) {
    parts.push(countedWords(now), "So there is nothing to compare the learned row with.");
  } else if (view === "difference") {
    const [ours, counted] = [learnedRow[second], countedRow[second]];
    const by = Math.abs(ours - counted);
    parts.push(`For ${b} after ${a} the learned table has ${chance(ours)}${at}, the counted one ${chance(counted)}: ` +
      (by < 0.0001 ? "less than 0.0001 apart." : `learned is ${ours > counted ? "larger" : "smaller"} by ${short(by, 2)}.`));
  }
  return [...parts, temperatureWords(now)].filter(Boolean).join(" ");
}

// -- the picture -----------------------------------------------------------------------------------------

// how dark: the logarithm, because most pairs are rare; what is not 0 is never quite white
const SCALES = {
  probability: { marks: [0, 0.0001, 0.001, 0.01, 0.1, 1], shade: (p) => (p > 0 ? Math.max(0.1, 1 + 0.225 * Math.log10(p)) : 0) },
  difference: {
    marks: [-0.1, -0.01, 0, 0.01, 0.1],
    shade: (d) => (Math.abs(d) >= 0.001 ? 1 + 0.28 * Math.log10(Math.abs(d)) : 0),
  },
};

function render(page) {
  const lab = frame(page, "bigram", draw);
  const { labels, names, counts, logits } = Object.fromEntries(
    ["labels", "names", "counts", "logits"].map((name) => [name, lab.get(name)]));
  const size = labels.length;

  if (logits.length) {
    select(lab, { label: "table", name: "view", options: ["counted", "learned", "difference"].map((name) => [name, name]) });
  }
  slider(lab, { label: "temperature", name: "temperature", min: 0.1, max: 3, step: 0.1, show: (t) => short(t, 3) });
  newRow(lab);
  const forth = button(lab, { label: "Next character", press: () => go(1) });
  const twenty = button(lab, { label: "Walk 20", press: () => go(20) });
  const again = button(lab, { label: "Start again", press: () => lab.set({ walk: lab.get("walk").slice(0, 1), chance: 0 }) });

  const map = html("canvas", { class: "bg-map", width: size, height: 3 * size, "aria-hidden": "true" });
  const picture = svg("svg", { role: "img", "aria-label": "The table of pairs, and the chosen row as bars" });
  const keys = html("div", { class: "bg-keys", tabindex: 0, role: "application" });
  const walked = html("p", { class: "bg-walked" });
  const sample = html("p", { class: "bg-sample", role: "group", "aria-label": "the sample so far" });
  lab.stage.append(html("div", { class: "bg-picture" }, map, picture, keys), walked, sample);
  let peek = null; // the pair under the pointer
  let cell = 0; // pixels

  lab.follow("view temperature first second walk chance", lab.redraw);

  // -- what is drawn from

  let known = {};
  // a table at the temperature; it is computed once, and hovering computes nothing again
  function table(name) {
    const temperature = lab.get("temperature");
    if (known.temperature !== temperature) known = { temperature };
    if (name === "counted") return known.counted ??= counts.map((row) => counted(row, temperature));
    return known.learned ??= logits.map((row) => learned(row, temperature));
  }
  const source = () => (lab.get("view") === "counted" ? "counted" : "learned"); // the table that samples come from

  function go(steps) {
    const walk = [...lab.get("walk")];
    const rows = table(source());
    let odds = lab.get("chance");
    for (let step = 0; step < steps && rows[walk.at(-1)]; step++) {
      const row = rows[walk.at(-1)];
      walk.push(pick(row, uniform(lab.get("seed"), walk.length)));
      odds = row[walk.at(-1)];
    }
    if (walk.length === lab.get("walk").length) return;
    peek = null;
    lab.set({ walk, chance: odds, first: walk.at(-2), second: walk.at(-1) });
  }

  // -- choosing a pair

  const inside = (i) => Math.max(0, Math.min(size - 1, i));
  const under = ({ offsetX, offsetY }) => [inside(Math.floor(offsetY / cell)), inside(Math.floor(offsetX / cell))];
  function choose(first, second) {
    peek = null;
    lab.set({ first: inside(first), second: inside(second) });
  }
  lab.listen(keys, "pointermove", (event) => {
    peek = under(event);
    lab.redraw();
  });
  lab.listen(keys, "pointerleave", () => {
    peek = null;
    lab.redraw();
  });
  lab.listen(keys, "click", (event) => choose(...under(event)));
  lab.listen(keys, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [first, second] = [lab.get("first"), lab.get("second")];
    const place = {
      ArrowUp: [first - 1, second], ArrowDown: [first + 1, second], PageUp: [0, second], PageDown: [size - 1, second],
      ArrowLeft: [first, second - 1], ArrowRight: [first, second + 1], Home: [first, 0], End: [first, size - 1],
    }[event.key];
    const typed = labels.indexOf({ Enter: "⏎", " ": "␣" }[event.key] ?? event.key);
    if (place) choose(...place);
    else if (typed >= 0) choose(second, typed); // so that who types "qu" sees the pair q, u
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // -- drawing

  const parts = {};
  for (const name of ["axes", "marks", "head", "bars", "legend"]) picture.append(parts[name] = svg("g"));

  function draw(width) {
    const view = lab.get("view");
    const temperature = lab.get("temperature");
    const walk = lab.get("walk");
    const [first, second] = peek ?? [lab.get("first"), lab.get("second")];
    const both = view === "difference";
    const [countedRow, learnedRow] = both ? [table("counted")[first], table("learned")[first]] : [];
    const rows = table(source());
    const row = rows[first];
    const plain = source() === "counted" ? counted(counts[first], 1) : learned(logits[first], 1);
    const last = walk.length > 1 && walk.at(-2) === first && walk.at(-1) === second;
    const now = { names, counts, view, temperature, first, second, row, plain, countedRow, learnedRow, walked: last, odds: lab.get("chance") };

    // the bars stand beside the map where both have room, or else below it
    const beside = width >= 560 && (width * 0.56 - 48) / size >= 3;
    const box = place(beside ? Math.min(width * 0.56, 520) : width);
    const left = Math.max(box.right, 300) + 28;
    const panel = beside ? { x: left, y: 0, width: width - left } : { x: 0, y: box.foot + 36, width };
    drawMap(view);
    drawMarks(box, first, second);
    const foot = drawBars({ ...panel, y: drawHead(panel, now) }, now);
    const legend = drawLegend(panel.x, Math.max(foot + 24, beside ? box.foot - 34 : 0), panel.width, view);
    put(picture, { width, height: Math.max(box.foot + 22, legend) });
    const stuck = !rows[walk.at(-1)];
    drawSample(walk, last, stuck);
    put(forth, { "aria-disabled": String(stuck) });
    put(twenty, { "aria-disabled": String(stuck) });
    put(again, { "aria-disabled": String(walk.length === 1) });
    const end = first === walk.at(-1) ? " The sample ends here: start again."
      : ` Nothing follows ${names[walk.at(-1)]} in the text, so the sample ends here: start again.`;
    lab.say(sentence(now) + (stuck && !peek ? end : ""));
  }

  // where the map is: its cells are whole pixels; labels that are closer than a line of text stand in up to 3 columns
  let placed = 0;
  let [rowLabels, columnLabels] = [[], []];
  function place(room) {
    cell = Math.max(2, Math.min(40, Math.floor((room - 48) / size)));
    const columns = Math.min(3, Math.ceil(13 / cell));
    const every = Math.ceil(13 / (columns * cell));
    const edge = Math.max(35, 13 * columns + 8);
    const box = { x: edge, y: edge + 20, side: cell * size };
    box.right = box.x + box.side;
    box.foot = box.y + box.side;
    if (placed === cell) return box;
    placed = cell;
    const where = `left: ${box.x}px; top: ${box.y}px; width: ${box.side}px; height: ${box.side}px`;
    put(map, { style: where });
    put(keys, { style: where });
    const texts = [svg("text", { x: 0, y: 12, class: "ll-muted", text: "row: a character · column: the next one" }),
      svg("text", { x: 0, y: box.foot + 18, class: "ll-muted bg-hint", text: "choose a pair: click, arrow keys, or type it" }),
      svg("rect", { x: box.x - 0.5, y: box.y - 0.5, width: box.side + 1, height: box.side + 1, class: "ll-paper" })];
    [rowLabels, columnLabels] = [[], []];
    for (let i = 0; i < size; i += every) {
      const out = 13 * ((i / every) % columns) + 10;
      const middle = (i + 0.5) * cell;
      rowLabels[i] = svg("text", { x: box.x - out, y: box.y + middle + 4, class: "bg-label", text: labels[i] });
      columnLabels[i] = svg("text", { x: box.x + middle, y: box.y - out + 4, class: "bg-label", text: labels[i] });
    }
    parts.axes.replaceChildren(...texts, ...rowLabels.filter(Boolean), ...columnLabels.filter(Boolean));
    return box;
  }

  // three lines of the canvas are one row of the table: what is below 0 fills only the middle one, like a minus
  let painted = "";
  function drawMap(view) {
    const state = `${view} ${lab.get("temperature")}`;
    if (painted === state) return;
    painted = state;
    const [blue, dark] = [rgb("data"), rgb("ink")];
    const image = new ImageData(size, 3 * size);
    const both = view === "difference";
    const { shade } = SCALES[both ? "difference" : "probability"];
    for (let i = 0; i < size; i++) {
      const row = both ? difference(table("learned")[i], table("counted")[i]) : table(view)[i];
      row?.forEach((value, j) => {
        const color = [...(value < 0 ? dark : blue), 255 * shade(value)];
        for (const line of value < 0 ? [1] : [0, 1, 2]) image.data.set(color, 4 * ((3 * i + line) * size + j));
      });
    }
    map.getContext("2d").putImageData(image, 0, 0);
  }

  // the chosen row and column, and their characters, large, where their labels are
  function drawMarks(box, first, second) {
    const [x, y] = [box.x + second * cell, box.y + first * cell];
    const outline = (x, y, width, height, name) => svg("rect", { x: x - 1, y: y - 1, width: width + 2, height: height + 2, class: name });
    const tile = (x, y, text) => [svg("rect", { x: x - 12, y: y - 12, width: 24, height: 24, rx: 4, class: "bg-tile" }),
      svg("text", { x, y: y + 6, class: "bg-large", text })];
    const [middleX, middleY] = [x + cell / 2, y + cell / 2];
    // the labels beside the chosen one make room for it
    for (const [texts, chosen] of [[rowLabels, first], [columnLabels, second]]) {
      texts.forEach((text, i) => put(text, { display: Math.abs(i - chosen) * cell < 19 ? "none" : null }));
    }
    parts.marks.replaceChildren(
      outline(box.x, y, box.side, cell, "bg-line"), outline(x, box.y, cell, box.side, "bg-line"), outline(x, y, cell, cell, "bg-cell"),
      ...tile(box.x - 22, middleY, labels[first]), ...tile(middleX, box.y - 22, labels[second]));
  }

  const WIDE = 370; // a narrower panel breaks its lines
  // the pair, large, and what is known of it: beside it, or in a narrow panel below it
  function drawHead({ x, y, width }, { view, first, second, row, countedRow, learnedRow }) {
    const tile = (at, text) => [svg("rect", { x: at, y: y + 2, width: 42, height: 42, rx: 6, class: "bg-tile" }),
      svg("text", { x: at + 21, y: y + 32, class: "bg-huge", text })];
    const [count, all] = [counts[first][second], total(counts[first])];
    const words = view === "difference"
      ? (countedRow ? `${chance(learnedRow[second])} learned, ${chance(countedRow[second])} counted` : "nothing counted to compare with")
      : row ? `probability ${chance(row[second])}` : "no probability";
    const narrow = width < WIDE;
    const [left, line] = narrow ? [x, y + 64] : [x + 132, y + 18];
    parts.head.replaceChildren(...tile(x, labels[first]), svg("text", { x: x + 59, y: y + 29, class: "bg-arrow", text: "→" }),
      ...tile(x + 76, labels[second]),
      svg("text", { x: left, y: line, class: "bg-strong", text: all ? `${whole(count)} ${count === 1 ? "time" : "times"} in ${whole(all)}` : "nothing follows" }),
      svg("text", { x: left, y: line + 20, text: words }));
    return line + (narrow ? 46 : 54);
  }

  function drawBars({ x, y, width }, { view, first, second, row, countedRow, learnedRow, walked: last }) {
    const both = view === "difference";
    const shown = both ? difference(learnedRow, countedRow) : row;
    const texts = [svg("text", { x, y, class: "bg-strong",
      text: `After ${names[first]}${width < WIDE || !shown ? "" : both ? ": the largest differences" : ": the most probable"}` })];
    if (!shown) {
      texts.push(svg("text", { x, y: y + 26, class: "ll-muted", text: both ? "The counted row is empty." : "The row is empty." }));
      parts.bars.replaceChildren(...texts);
      return y + 30;
    }
    const order = ranked(shown).filter((i) => both || shown[i] > 0);
    const listed = order.slice(0, ROWS);
    const rest = order.slice(ROWS);
    const extra = rest.includes(second) || !order.includes(second); // the chosen one has a bar in any case
    const most = Math.max(...[second, ...listed].map((i) => (both ? Math.max(learnedRow[i], countedRow[i]) : row[i])));
    const [left, pitch] = [x + 32, 21];
    const full = width - 32 - 116;
    const bar = (i, n) => {
      const at = y + 12 + n * pitch;
      const length = (p) => Math.max(p > 0 ? 1 : 0, (p / most) * full);
      if (i === second) texts.push(svg("rect", { x: x - 4, y: at - 1, width: width + 2, height: pitch - 1, rx: 4, class: "bg-chosen" }));
      texts.push(svg("text", { x: x + 12, y: at + 14, class: "bg-sign", text: labels[i] }));
      if (both) {
        texts.push(svg("rect", { x: left, y: at + 2, width: length(learnedRow[i]), height: 7, class: "bg-bar" }),
          svg("rect", { x: left + 0.5, y: at + 10.5, width: length(countedRow[i]), height: 6, class: "bg-other" }));
      } else texts.push(svg("rect", { x: left, y: at + 3, width: length(row[i]), height: pitch - 7, class: "bg-bar" }));
      const long = both ? Math.max(length(learnedRow[i]), length(countedRow[i])) : length(row[i]);
      texts.push(svg("text", { x: left + long + 7, y: at + 14, text: both ? signed(shown[i]) : chance(shown[i]) }));
      if (last && i === second) texts.push(svg("text", { x: x + width - 6, y: at + 14, class: "bg-drawn", text: "◂ drawn" }));
    };
    listed.forEach(bar);
    let count = listed.length;
    if (extra) bar(second, count++);
    const others = rest.filter((i) => i !== second);
    const sum = others.reduce((a, i) => a + row[i], 0);
    let foot = y + 12 + count * pitch + 15;
    if (both) {
      texts.push(svg("rect", { x, y: foot - 9, width: 22, height: 7, class: "bg-bar" }), svg("text", { x: x + 28, y: foot, text: "learned" }),
        svg("rect", { x: x + 92.5, y: foot - 8.5, width: 22, height: 6, class: "bg-other" }), svg("text", { x: x + 121, y: foot, text: "counted" }));
    } else {
      texts.push(svg("text", { x, y: foot, class: "ll-muted", text: others.length
        ? `${others.length === 1 ? "one other" : `${others.length} others`}, together ${chance(Math.min(1, sum))}` : "and no other" }));
    }
    parts.bars.replaceChildren(...texts);
    return foot;
  }

  function drawLegend(x, y, width, view) {
    const { marks, shade } = SCALES[view === "difference" ? "difference" : "probability"];
    const step = Math.min(56, width / marks.length);
    const texts = [svg("text", { x, y, class: "ll-muted", text: view === "difference"
      ? "logarithmic; a dash is below 0" : "probability of the next (logarithmic)" })];
    marks.forEach((mark, i) => {
      const low = mark < 0;
      texts.push(svg("rect", { x: x + i * step, y: y + 8, width: step - 6, height: 12, class: "ll-paper" }),
        svg("rect", { x: x + i * step, y: y + (low ? 12 : 8), width: step - 6, height: low ? 4 : 12, class: low ? "bg-less" : "bg-bar", "fill-opacity": shade(mark) }),
        svg("text", { x: x + i * step + (step - 6) / 2, y: y + 34, class: "bg-mark", text: view === "difference" ? signed(mark) : mark || "never" }));
    });
    parts.legend.replaceChildren(...texts);
    return y + 40;
  }

  const LONGEST = 300; // of a longer sample the end is shown
  function drawSample(walk, last, stuck) {
    const [drawn, table] = [walk.length - 1, lab.get("view") === "difference" ? " of the learned table" : ""];
    put(walked, { text: `The sample so far: ${drawn || "no"} ${drawn === 1 ? "character" : "characters"} drawn` +
      `${walk.length > LONGEST ? `, the last ${LONGEST} shown` : ""}. ` +
      (stuck ? `The row of ${names[walk.at(-1)]} is empty.` : `The next one comes from the row of ${names[walk.at(-1)]}${table}.`) });
    const shown = walk.slice(-LONGEST);
    const letters = pool(sample, shown.length, () => html("span"));
    shown.forEach((id, i) => {
      const from = i === shown.length - 2 && last;
      put(letters[i], {
        text: labels[id] === "⏎" ? "⏎\n" : labels[id],
        class: i === shown.length - 1 ? "bg-last" : from ? "bg-from" : "⏎␣".includes(labels[id]) ? "bg-faint" : null,
      });
    });
    sample.scrollTop = sample.scrollHeight;
  }

  // a colour of the course, as three numbers
  function rgb(name) {
    const hex = getComputedStyle(lab.stage).getPropertyValue(`--ll-${name}`).trim();
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  }

  put(keys, { "aria-label": `table of ${size} by ${size} pairs: the arrow keys choose a pair, or type its two characters` });
  return lab.dispose;
}

export default { render };
