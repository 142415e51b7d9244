// Axes in an SVG, for labs that draw curves: script("plot.js", "swing.js") puts it between base.js and the lab's own.

// the first n children of a group, made where they are missing; the others are taken away
function pool(parent, n, make) {
  while (parent.childNodes.length < n) parent.append(make());
  while (parent.childNodes.length > n) parent.lastChild.remove();
  return [...parent.childNodes];
}

// a number in at most n digits: 0.25, -3, 1e-8
function digits(value, n) {
  const short = Number(value.toPrecision(n));
  return short !== 0 && Math.abs(short) < 1e-3 ? short.toExponential() : String(short);
}

// about n round numbers from low to high
function ticks(low, high, n) {
  const rough = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => {
    const value = (first + i) * step;
    return [value, digits(value, 6)];
  });
}

// The line where the numbers at(i, j) of a grid are `level`, as the `d` of a path: a straight piece in every square between
// four of them that it crosses; none beside NaN. `pixel(i, j)` is where a place between them is drawn.
function contour(at, columns, rows, level, pixel) {
  let d = "";
  for (let j = 0; j + 1 < rows; j++) {
    for (let i = 0; i + 1 < columns; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const above = corners.map((corner) => at(...corner) - level);
      const ends = [];
      for (let k = 0; k < 4; k++) {
        const [from, to] = [above[k], above[(k + 1) % 4]];
        if (from > 0 === to > 0 || Number.isNaN(from - to)) continue;
        const part = from / (from - to);
        const [[a, b], [c, e]] = [corners[k], corners[(k + 1) % 4]];
        ends.push(pixel(a + part * (c - a), b + part * (e - b)));
      }
      for (let k = 0; k + 1 < ends.length; k += 2) d += `M${ends[k]}L${ends[k + 1]}`;
    }
  }
  return d;
}

// Axes to draw in: put your elements into `inside`, which is clipped. `place` sets where the plot is (in
// pixels), what it shows (from low to high, from bottom to top), and its ticks, as pairs [value, text].
function plot(parent) {
  const id = `ll-${Math.random().toString(36).slice(2)}`;
  const hole = svg("rect");
  const paper = svg("rect", { class: "ll-paper" });
  const [columns, rows] = [svg("g"), svg("g")];
  const inside = svg("g", { "clip-path": `url(#${id})` });
  parent.append(svg("clipPath", { id }, hole), paper, columns, rows, inside);
  const tick = () => svg("g", {}, svg("line", { class: "ll-grid" }), svg("text", { class: "ll-muted" }));

  const self = {
    inside,
    place(box, view, xticks, yticks) {
      Object.assign(self, { box, view });
      put(hole, box);
      put(paper, box);
      const [right, foot] = [box.x + box.width, box.y + box.height];
      pool(columns, xticks.length, tick).forEach((element, i) => {
        const [line, text] = element.childNodes;
        const x = self.x(xticks[i][0]);
        put(line, { x1: x, x2: x, y1: box.y, y2: foot });
        put(text, { x, y: foot + 16, "text-anchor": "middle", text: xticks[i][1] });
      });
      pool(rows, yticks.length, tick).forEach((element, i) => {
        const [line, text] = element.childNodes;
        const y = self.y(yticks[i][0]);
        put(line, { x1: box.x, x2: right, y1: y, y2: y });
        put(text, { x: box.x - 7, y: y + 4, "text-anchor": "end", text: yticks[i][1] });
      });
    },
    // from the plot's numbers to pixels; far outside is far enough
    x: (v) => self.box.x + ((v - self.view.low) / (self.view.high - self.view.low)) * self.box.width,
    y: (v) => self.box.y + Math.max(-2000, Math.min(2000,
      ((self.view.top - v) / (self.view.top - self.view.bottom)) * self.box.height)),

    // the `d` of a path through points [x, y]; it is broken where y is not finite, and a point alone is a dot where the line has round caps
    path(points) {
      let d = "";
      let drawing = false;
      for (const [x, y] of points) {
        const here = Number.isFinite(y);
        if (here) d += `${drawing ? "L" : "M"}${self.x(x).toFixed(2)} ${self.y(y).toFixed(2)}${drawing ? "" : "h.1"}`;
        drawing = here;
      }
      return d;
    },
  };
  return self;
}
