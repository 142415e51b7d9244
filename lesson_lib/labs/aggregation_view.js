// Where things are in the aggregation lab, and how its cells, labels and legend look. Nothing here remembers a state.

const TOP = 66; // where the rows of all three matrices begin

// in pixels: the edges of the three matrices, the size of their cells, and the box of the plane
function measure(width, T) {
  const high = T > 6 ? 36 : T > 4 ? 42 : 52;
  const beside = width >= 860;
  const narrow = !beside && width < 620;
  const [x0, sum, gap, equals, tail] = narrow ? [50, 48, 48, 20, 38] : [68, 50, 66, 30, 38];
  const wide = narrow ? 36 : 44;
  const room = (beside ? 664 : width) - x0 - sum - gap - equals - tail - 4 * wide;
  const size = Math.max(24, Math.min(54, Math.floor(room / T)));
  const sumX = x0 + T * size + 7;
  const xX = sumX - 7 + sum + gap;
  const outX = xX + 2 * wide + equals;
  const right = outX + 2 * wide + tail;
  const foot = TOP + T * high + 8;
  const plane = beside ? { x: right + 34, y: 44, height: Math.max(foot, 320) - 84 } : { x: 34, y: foot + 56, height: 260 };
  plane.width = Math.min(width - plane.x - 6, 520);
  return { x0, gap, size, high, wide, sumX, xX, outX, right, foot, plane, middle: TOP + (T * high) / 2,
    height: plane.y + plane.height + 40 };
}

// titles, tokens and signs between the matrices
function drawBack(group, now, at, measured) {
  const { labels, rows, way, divide, shown, t } = now;
  const T = labels.length;
  const texts = [];
  const say = (x, y, text, kind, anchor = "middle", size = null) =>
    texts.push({ x, y, text, class: kind, "text-anchor": anchor, "font-size": size });
  say(at.x0, 14, `weights (${T}, ${T})`, "ag-strong", "start");
  say(at.xX, 14, `x (${T}, 2)`, "ag-strong", "start");
  say(at.outX, 14, `out (${T}, 2)`, "ag-strong", "start");
  say(at.x0, 34, "takes from →", "ll-muted", "start");
  say(at.x0 - 6, 55, at.x0 < 60 ? "asks ↓" : "t asks ↓", "ll-muted", "end");
  if (!divide && way !== "loop") say(at.sumX, 55, "sum", "ll-muted", "start");
  const sign = at.gap < 60 ? 15 : 21;
  say(at.xX - at.gap * 0.82, at.middle + 7, "@", null, "middle", sign);
  say(at.outX - (at.outX - at.xX - 2 * at.wide) / 2, at.middle + 7, "=", null, "middle", sign);
  labels.forEach((label, p) => {
    const y = TOP + (p + 0.5) * at.high + 5;
    const token = (x, y, anchor, room) => {
      const text = cut(label, room * (14 / 9), measured); // no smaller than 9 pixels
      say(x, y, text, "ag-token", anchor, Math.min(14, (14 * room) / measured(text)).toFixed(1));
    };
    token(at.x0 + (p + 0.5) * at.size, 55, "middle", at.size - 2);
    say(4, y, p, p === shown ? "ag-strong" : "ll-muted", "start");
    token(at.x0 - 9, y, "end", at.x0 - 25);
    token(at.xX - 8, y, "end", at.gap * 0.52);
    const { sum } = rows[p];
    if (sum !== null) {
      const text = `${divide || way === "loop" ? "÷ " : ""}${tight(sum)}`;
      say(at.sumX, y, text, sum === 0 ? "ag-strong" : "ll-muted", "start", fit(12.5, text.length, at.xX - at.gap - at.sumX));
    }
    if (way === "loop" && p === t && !rows[p].out) say(at.outX + 2 * at.wide + 6, y, "sum", "ag-strong", "start");
  });
  pool(group, texts.length, () => svg("text")).forEach((element, k) => change(element, texts[k]));
}

// for the small room beside a row: three digits
const tight = (sum) => (exact(sum) ? short(sum) : digits(sum, sum < 1 ? 2 : 3));
// how large the letters can be where so many must fit
const fit = (wanted, letters, room) => Math.min(wanted, (room - 3) / (0.62 * letters)).toFixed(1);

// what stands in a cell of the weights, small and big, and how it is spoken; `added`: the loop has it in its running sum
function cellWords({ loop, off, added, weight, value, way }) {
  const softly = way === "softmax";
  const shown = value === null ? "" : exact(value) ? short(value) : value.toFixed(1).replace("-", "−");
  const made = weight === undefined ? (loop ? "" : "–") : loop && off ? "" : weight >= 10 ? digits(weight, 3) : short(weight);
  const result = weight === undefined ? (loop ? "not there yet" : "no weight") : `weight ${short(weight)}`;
  const from = off ? "masked, " : loop ? "" : `${softly ? "logit" : "number"} ${shown}, `;
  return { small: off && softly ? "−∞" : shown, big: added ? "+" : made, spoken: from + (added ? "added" : result) };
}

function drawBox(element, { x, y, width, height, small = "", big, fill = null, shade }) {
  const [hit, base, tint, above, below] = element.childNodes;
  const size = { x: x + 1, y: y + 1, width: width - 2, height: height - 2 };
  change(hit, { x, y, width, height }); // so that the pointer never falls between two cells
  change(base, { ...size, style: fill && `fill: ${fill}` });
  change(tint, { ...size, "fill-opacity": shade.toFixed(3) });
  const middle = x + width / 2;
  change(above, { x: middle, y: y + height * 0.33, text: small, "font-size": fit(11, Math.max(3, small.length), width) });
  const foot = y + (small ? height * 0.78 : height / 2 + 4.5);
  change(below, { x: middle, y: foot, text: big, "font-size": fit(13.5, Math.max(4, big.length), width) });
}

const SMALL = {
  loop: "a plus: added so far; the number: its share after the division",
  triangular: "above: the number you change; below: the weight that it makes",
  softmax: "above: the logit you change; below: the weight that it makes",
};

function legend(marks) {
  const item = (...parts) => html("span", { class: "ag-item" }, ...parts);
  // one over the other, so that the lines break in the same places in every way
  const small = Object.fromEntries(Object.entries(SMALL).map(([way, text]) => [way, html("span", { text })]));
  const element = html("p", { class: "ag-legend" },
    item(html("span", { class: "ag-key ag-key-row" }), "the row that is looked at"),
    item(html("span", { class: "ag-key ag-key-off" }), "masked: it comes later"),
    html("span", { class: "ag-stack" }, ...Object.values(small)),
    ...marks.map(([mark, meaning]) => item(html("b", { text: mark }), meaning)));
  const show = (now) => Object.entries(small).forEach(([way, words]) => put(words, { class: way === now ? null : "ag-gone" }));
  return { element, show };
}
