// The plane of the aggregation lab: tokens as points, and one output, joined to them by lines as wide as the weights.

// Labels stay beside their points. `settle` moves one only where it would lie on something, and then to where nothing is.
// `over` is how bad it is to lie on another label; on a line it is 7.
function labeller(over = 12) {
  // above first, then around; near before far
  const SPOTS = [0, 14, 28].flatMap((further) => Array.from({ length: 8 }, (_, k) => ({ turn: (k * Math.PI) / 4 - Math.PI / 2, further })));
  let last = new Map();

  const boxAt = ({ x, y, away, width }, { turn, further }) => {
    const [cx, cy] = [x + Math.cos(turn) * (away + further + width / 2), y + Math.sin(turn) * (away + further + 8)];
    return { left: cx - width / 2, right: cx + width / 2, top: cy - 8, bottom: cy + 8, cx, cy };
  };
  const touches = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  // by Liang and Barsky: the part of the line for which it is within all four sides
  function crosses({ left, right, top, bottom }, [x1, y1, x2, y2]) {
    let [from, to] = [0, 1];
    for (const [step, room] of [[x1 - x2, x1 - left], [x2 - x1, right - x1], [y1 - y2, y1 - top], [y2 - y1, bottom - y1]]) {
      if (step === 0 && room < 0) return false;
      if (step < 0) from = Math.max(from, room / step);
      else if (step > 0) to = Math.min(to, room / step);
    }
    return from <= to;
  }

  return function settle(labels, { lines, dots, frame }) {
    const taken = [];
    const next = new Map();
    for (const label of labels) {
      const cost = (spot) => {
        const box = boxAt(label, spot);
        const outside = box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom;
        return 100 * outside + over * taken.filter((one) => touches(box, one)).length
          + 8 * dots.filter((dot) => touches(box, dot) && Math.hypot(dot.x - label.x, dot.y - label.y) > 1).length
          + 7 * lines.filter((line) => crosses(box, line)).length + spot.further / 7;
      };
      let best = last.get(label.key) ?? SPOTS[0];
      let least = cost(best);
      if (least > 0) {
        for (const spot of SPOTS) {
          const found = cost(spot);
          if (found < least) [best, least] = [spot, found];
        }
      }
      next.set(label.key, best);
      const box = boxAt(label, best);
      taken.push(box);
      put(label.element, { x: box.cx.toFixed(1), y: (box.cy + 5).toFixed(1), text: label.text });
    }
    last = next;
  };
}

// the beginning of a label that would be wider than `most`, in pixels
function cut(label, most, measured) {
  if (measured(label) <= most) return label;
  const signs = [...label].filter((sign) => sign !== "…");
  while (signs.length > 1 && measured(`${signs.join("")}…`) > most) signs.pop();
  return `${signs.join("")}…`;
}

// how many pixels a text takes in bold letters of 14; a canvas knows it without a layout of the page
function ruler(element) {
  const context = document.createElement("canvas").getContext("2d");
  const known = new Map();
  return (text) => {
    if (!known.has(text)) {
      context.font = `700 14px ${getComputedStyle(element).fontFamily}`;
      known.set(text, context.measureText(text).width);
    }
    return known.get(text);
  };
}

// from a little below the smallest to a little above the largest; labels need room too
function span(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = most > least ? (most - least) * 0.17 : Math.max(1, Math.abs(most) * 0.1);
  return [least - room, most + room];
}

// `draw` puts the plane into a box, in pixels. What is drawn: x, labels, the point `out` (or null) with its weights and name
function plane(parent, measured) {
  const title = svg("text", { class: "ag-strong" });
  const group = svg("g");
  parent.append(title, group);
  const axes = plot(group);
  const [lines, dots, others] = [svg("g", { class: "ag-lines" }), svg("g"), svg("g")];
  const target = svg("path", { class: "ag-target" });
  const [across, up] = [svg("text", { class: "ll-muted", "text-anchor": "end" }), svg("text", { class: "ll-muted" })];
  const words = svg("g");
  axes.inside.append(lines, others, dots, target);
  group.append(words, across, up);
  const settle = labeller();

  return function draw(box, { x, labels, outs, chosen, weights, out, name, active }) {
    const [[low, high], [bottom, top]] = [span(x.map((v) => v[0])), span(x.map((v) => v[1]))];
    const xticks = ticks(low, high, 6);
    const yticks = ticks(bottom, top, 6);
    axes.place(box, { low, high, bottom, top }, xticks, yticks);
    put(title, { x: box.x - 26, y: box.y - 32, text: "Each token a point, each line a weight" });
    put(across, { x: box.x + box.width, y: box.y + box.height + 33, text: "first number: x[:, 0]" });
    put(up, { x: box.x - 26, y: box.y - 12, text: "second number: x[:, 1]" });

    const at = ([a, b]) => [axes.x(a), axes.y(b)];
    const points = x.map(at);
    const far = out && at(out);
    // an output that is outside stands at the edge, as an arrow
    const edge = 16;
    const here = far && [Math.max(box.x + edge, Math.min(box.x + box.width - edge, far[0])),
      Math.max(box.y + edge, Math.min(box.y + box.height - edge, far[1]))];
    const outside = far && Math.hypot(far[0] - here[0], far[1] - here[1]) > edge;

    const heavy = out ? weights.map((weight, i) => [weight, i]).filter(([weight]) => weight > 0) : [];
    pool(lines, heavy.length, () => svg("line")).forEach((line, k) => {
      const [weight, i] = heavy[k];
      const thick = (0.8 + 11 * Math.min(1, weight)).toFixed(2);
      put(line, { x1: points[i][0], y1: points[i][1], x2: here[0], y2: here[1], "stroke-width": thick });
    });
    const rings = outs.map((one, t) => [one, t]).filter(([one, t]) => one && t !== chosen);
    pool(others, rings.length, () => svg("circle", { r: 5, class: "ag-ring" })).forEach((ring, k) => {
      const [cx, cy] = at(rings[k][0]);
      put(ring, { cx, cy, "data-out": rings[k][1] });
    });
    pool(dots, x.length, () => svg("circle", { r: 7 })).forEach((dot, i) => {
      put(dot, { cx: points[i][0], cy: points[i][1], "data-point": i, class: `ag-dot${i === active ? " ag-active" : ""}` });
    });
    put(target, { display: out ? null : "none", class: `ag-target${outside ? " ag-away" : ""}` });
    if (out) {
      const turn = outside ? (Math.atan2(far[1] - here[1], far[0] - here[0]) * 180) / Math.PI : 0;
      const [right, down] = here.map((value) => value.toFixed(2));
      put(target, { d: outside ? "M10 0L-6 8V-8Z" : "M0-9L9 0L0 9L-9 0Z", transform: `translate(${right} ${down}) rotate(${turn.toFixed(1)})` });
    }

    // tokens in the same place share a label
    const places = new Map();
    points.forEach(([px, py], i) => {
      const key = `${px.toFixed(0)} ${py.toFixed(0)}`;
      const known = places.get(key);
      if (!known) places.set(key, { key: `token ${key}`, x: px, y: py, away: 11, texts: [labels[i]] });
      else if (!known.texts.includes(labels[i])) known.texts.push(labels[i]);
    });
    const tags = [...places.values()].map((tag) => ({ ...tag, text: tag.texts.join(" ") }));
    if (out) tags.push({ key: "out", x: here[0], y: here[1], away: 14, text: name });
    const elements = pool(words, tags.length, () => svg("text", { class: "ll-halo" }));
    tags.forEach((tag, k) => {
      const element = put(elements[k], { class: `ll-halo ${tag.key === "out" ? "ag-out-name" : "ag-token"}` });
      Object.assign(tag, { element, width: measured(tag.text) + 4 });
    });
    const around = ([px, py], r) => ({ x: px, y: py, left: px - r, right: px + r, top: py - r, bottom: py + r });
    settle(tags, {
      lines: heavy.map(([, i]) => [...points[i], ...here]),
      dots: [...points.map((point) => around(point, 7)), ...rings.map(([one]) => around(at(one), 5)), ...(here ? [around(here, 9)] : [])],
      frame: { left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height },
    });
  };
}
