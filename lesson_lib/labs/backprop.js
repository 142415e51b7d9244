// The backprop lab. Python has worked out every step of every run (passes.py says what a step holds); here
// the graph is drawn once, and each drawing shows it as it stands after `step` steps.

function render(page) {
  const lab = frame(page, "backprop", draw);
  const graph = lab.get("graph");
  const rule = html("p", { class: "bp-rule" });
  const room = html("div", { class: "bp-room" });
  const sums = html("p", { class: "bp-sums" });
  lab.stage.append(rule, room, sums);
  const picture = graph.layouts.length ? graphPictures(lab, room, graph) : graphTable(lab, room, graph);
  const walk = walker(lab);
  const leaves = lab.alone ? { picked: () => null } : leafFields(lab, graph);
  if (graph.fixed || !lab.alone) lab.controls.append(html("p", { class: "bp-note", text: graph.note, hidden: !graph.note }));
  else remark(lab, "In the notebook you can change the leaves' numbers too: there Python computes everything again.");

  let shown = -1;
  function draw(width) {
    const { steps, at } = walk.refresh();
    const now = steps[at];
    showRule(lab, rule);
    const turned = picture.fit(width);
    picture.show(steps, at, leaves.picked());
    sums.replaceChildren(...[now.product, now.sum].filter(Boolean).map((text) => html("span", { text })));
    lab.say(now.sentence);
    if (turned || at !== shown) picture.follow(now);
    shown = at;
  }

  return () => {
    walk.pause();
    lab.dispose();
  };
}

// what the run does, as a line of code; a cross marks what is wrong in it
function showRule(lab, rule) {
  const mark = (wrong, text) => (wrong ? html("strong", { text: `✗ ${text}` }) : html("span", { text }));
  rule.replaceChildren(
    lab.get("unordered") ? mark(true, "each node, whenever reached:") : mark(false, "each node, the last one first:"),
    lab.get("overwrite") ? mark(true, "parent.grad = local × node.grad") : mark(false, "parent.grad += local × node.grad"),
  );
}

// -- walking through the steps ------------------------------------------------------------------------

function walker(lab) {
  const steps = () => lab.get("runs").steps[
    [lab.get("overwrite") && "overwrite", lab.get("unordered") && "unordered"].filter(Boolean).join(" ")];
  const last = () => steps().length - 1;
  const at = () => Math.min(lab.get("step"), last());
  const go = (step) => lab.set({ step: Math.max(0, Math.min(step, last())) });
  let timer = 0;
  let playing = null; // the button that started it
  let ended = false; // what is drawn is the end of its run

  function pause() {
    clearTimeout(timer);
    playing = null;
    lab.redraw();
  }
  function player(label, pace) {
    const start = button(lab, { label, press: () => {
      const stop = playing !== null;
      pause();
      if (stop) return;
      if (at() === last()) go(0);
      playing = start;
      timer = setTimeout(tick, pace);
    } });
    function tick() {
      go(at() + 1);
      if (at() === last()) pause();
      else timer = setTimeout(tick, pace);
    }
    return start;
  }
  const walk = (step) => () => {
    pause();
    go(step());
  };

  const row = html("div", { class: "bp-row" });
  const forth = button(lab, { label: "Step", press: walk(() => at() + 1) });
  const back = button(lab, { label: "Back", press: walk(() => at() - 1) });
  const players = { Play: player("Play", 900), Fast: player("Fast", 180) };
  const reset = button(lab, { label: "Reset", press: walk(() => 0) });
  const place = slider(lab, { label: "step", name: "step", min: 0, max: 1 });
  lab.listen(place, "input", pause);
  row.append(html("div", { class: "bp-buttons", role: "group", "aria-label": "walk through the steps" },
    forth, back, ...Object.values(players), reset), place.parentElement);

  const wrong = html("div", { class: "bp-row", role: "group", "aria-label": "do it wrong" });
  for (const [name, label] of [["overwrite", "overwrite instead of add"], ["unordered", "no topological order"]]) {
    wrong.append(toggle(lab, { label, name }).parentElement);
    // who looks at the end of one run wants to see the end of the other
    lab.follow(name, () => { if (ended) go(last()); });
  }
  lab.controls.append(row, wrong);

  return {
    pause,
    refresh() {
      ended = at() === last();
      put(place, { max: last(), "aria-valuetext": `${at()} of ${last()}` });
      if (Number(place.value) !== at()) place.value = at();
      put(place.nextElementSibling, { text: `${at()} of ${last()}` });
      for (const [label, start] of Object.entries(players)) put(start, { text: playing === start ? "Pause" : label });
      // not `disabled`: that would take the focus away from who steps with the keyboard
      put(back, { "aria-disabled": String(at() === 0) });
      put(reset, { "aria-disabled": String(at() === 0) });
      put(forth, { "aria-disabled": String(ended) });
      return { steps: steps(), at: at() };
    },
  };
}

// -- the leaves' numbers --------------------------------------------------------------------------------

function leafFields(lab, graph) {
  const row = html("div", { class: "bp-row", role: "group", "aria-label": "the leaves' numbers" });
  let picked = null; // the leaf whose field has the focus
  lab.controls.append(row);

  function pick(leaf) {
    picked = leaf === null ? null : graph.leaves[leaf].node;
    lab.redraw();
  }
  function follow(element, which) {
    lab.listen(element, "focus", () => pick(which()));
    lab.listen(element, "blur", () => pick(null));
    return element;
  }

  function field(name, which) {
    const input = html("input", { type: "number", step: "any", class: "bp-number", "aria-label": name, disabled: graph.fixed });
    let typing = false; // what is half typed is left alone
    const refresh = () => {
      if (typing) return;
      const text = lab.get("leaves")[which()];
      put(input, { style: `width: ${Math.min(Math.max(text.length, 4), 20) + 4}ch` });
      if (input.value !== text) input.value = text;
    };
    lab.listen(input, "input", () => {
      typing = true;
      if (input.value === "") return; // "-" is no number yet
      lab.set({ leaves: lab.get("leaves").map((text, i) => (i === which() ? input.value : text)) });
    });
    lab.listen(input, "change", () => {
      typing = false;
      refresh();
    });
    lab.follow("leaves runs", () => {
      refresh();
      lab.redraw();
    });
    refresh();
    return { input: follow(input, which), refresh };
  }

  if (graph.leaves.length <= 8) {
    graph.leaves.forEach(({ name }, i) => {
      row.append(html("label", { class: "ll-control bp-leaf" }, html("span", { text: name }), field(name, () => i).input));
    });
  } else {
    const which = () => Number(choice.value);
    const choice = html("select", { "aria-label": "leaf", disabled: graph.fixed },
      ...graph.leaves.map(({ name }, i) => html("option", { value: i, text: name })));
    const { input, refresh } = field("number", which);
    follow(choice, which);
    lab.listen(choice, "change", () => {
      refresh();
      pick(which());
    });
    row.append(html("label", { class: "ll-control" }, html("span", { text: "leaf" }), choice),
      html("label", { class: "ll-control" }, html("span", { text: "number" }), input));
  }
  return { picked: () => picked };
}

// -- what every picture of the graph shows ----------------------------------------------------------------

// each node after the steps up to `at`: its gradient so far (null: none), and whether more is still to come
function gradients(steps, at, count) {
  const nodes = Array.from({ length: count }, () => ({ grad: null, more: false }));
  steps.forEach(({ to, grad }, i) => {
    if (to === undefined) return;
    if (i <= at) nodes[to].grad = grad;
    else nodes[to].more = nodes[to].grad !== null;
  });
  return nodes;
}

const states = (now, index, { grad }) => [
  grad === null && "bp-waiting", now.node === index && "bp-work", now.to === index && now.node !== index && "bp-gets",
  now.wrong?.includes(index) && "bp-wrong",
];

// -- the picture: cards and arrows ------------------------------------------------------------------------

// the same graph from left to right and, for a narrow page, from top to bottom: the first that fits is on the page
function graphPictures(lab, room, { layouts }) {
  const pictures = layouts.map((layout) => graphPicture(lab, room, layout));
  let now = null;
  return {
    fit(width) {
      const fitting = pictures.find((picture) => picture.fits(width)) ?? pictures.at(-1);
      const turned = fitting !== now;
      now = fitting;
      if (turned) room.replaceChildren(now.element);
      now.fit(width);
      return turned;
    },
    show: (...state) => now.show(...state),
    follow: (step) => now.follow(step),
  };
}

const SMALLEST = 0.85; // a picture made smaller than this cannot be read

function graphPicture(lab, room, layout) {
  const id = `bp-${Math.random().toString(36).slice(2)}`;
  // a gradient goes backward, so its arrow's head is at the beginning of the path
  const head = svg("marker", { id, orient: "auto-start-reverse", refX: 9, refY: 5, markerWidth: 14, markerHeight: 12,
    viewBox: "0 0 10 10", markerUnits: "userSpaceOnUse" }, svg("path", { d: "M0,0 L10,5 L0,10 z", class: "bp-head" }));
  const lines = layout.edges.map((edge) => {
    const path = svg("path");
    const local = svg("text", { x: edge.label_x, y: edge.label_y + 4, class: "ll-halo" });
    // the path ends where its arrow's head begins; without that head it goes on to the tip
    const [, tip] = edge.arrow.split(" ");
    const group = svg("g", { class: "bp-edge" }, path, svg("polygon", { points: edge.arrow }), local);
    return { group, path, local, forward: edge.path, back: `${edge.path} L${tip}` };
  });
  const cards = layout.nodes.map(card);
  const height = layout.height + 6; // room for the tags below the last cards
  const element = svg("svg", { viewBox: `0 0 ${layout.width} ${height}`, role: "img",
    "aria-label": "the graph, with the gradients that have arrived so far" },
    svg("defs", {}, head), ...lines.map(({ group }) => group), ...cards.map(({ group }) => group));
  let scale = 1;

  return {
    element,
    fits: (width) => layout.width * SMALLEST <= width,
    show(steps, at, picked) {
      const now = steps[at];
      const { names, data, locals, right } = lab.get("runs");
      const passed = new Set(steps.slice(0, at).map(({ edge }) => edge));
      lines.forEach(({ group, path, local, forward, back }, i) => {
        const works = now.edge === i;
        put(group, { class: ["bp-edge", passed.has(i) && "bp-passed", works && "bp-now"].filter(Boolean).join(" ") });
        put(path, { d: works ? back : forward, "marker-start": works && `url(#${id})` });
        put(local, { text: `×${locals[i]}` });
      });
      gradients(steps, at, cards.length).forEach((node, i) => {
        const wrong = now.wrong?.includes(i);
        put(cards[i].group, { class: ["bp-card", picked === i && "bp-picked", ...states(now, i, node)].filter(Boolean).join(" ") });
        put(cards[i].title, { text: names[i] });
        put(cards[i].data, { text: data[i] });
        put(cards[i].name, { text: node.more ? "grad…" : wrong ? "grad ✗" : "grad" });
        put(cards[i].grad, { text: node.grad ?? "—" });
        put(cards[i].right, { text: `right: ${right[i]}` });
      });
    },
    fit(width) {
      // where the smallest is still too large, it scrolls
      scale = Math.max(SMALLEST, Math.min(1, width / layout.width));
      put(element, { width: layout.width * scale, height: height * scale });
    },
    // bring what is at work into view
    follow({ node, to, wrong }) {
      // at the start that is the end of the graph, at the end a wrong node or else a leaf
      const first = wrong ? wrong[0] ?? 0 : node ?? cards.length - 1;
      const seen = [first, to ?? first].map((i) => layout.nodes[i]);
      const moved = (start, size, from, length) => {
        const low = Math.min(...seen.map((node) => node[start])) * scale - 24;
        const high = Math.max(...seen.map((node) => node[start] + node[size])) * scale + 24;
        return low < from ? low : high > from + length ? Math.min(low, high - length) : from;
      };
      room.scrollLeft = moved("x", "width", room.scrollLeft, room.clientWidth);
      room.scrollTop = moved("y", "height", room.scrollTop, room.clientHeight);
    },
  };
}

function card({ x, y, width, height, strip, label, op, leaf }) {
  const corner = leaf ? 12 : 3;
  const left = x + strip + 6;
  const end = x + width - 6;
  let line = y + 14;
  const texts = [];
  const add = (at, row, name) => {
    const text = svg("text", { x: at, y: row, class: name });
    texts.push(text);
    return text;
  };
  if (label) {
    put(add(left, line, "bp-label"), { text: label });
    line += 16;
  }
  put(add(left, line, "bp-data bp-name"), { text: "data" });
  const data = add(end, line, "bp-data bp-number");
  const name = add(left, line + 16, "bp-grad bp-name");
  const grad = add(end, line + 16, "bp-grad bp-number");
  const right = svg("text", { x: (left + end) / 2, y: y + height + 6 });
  const title = svg("title");
  const shapes = [title, svg("rect", { x, y, width, height, rx: corner, class: "bp-body" })];
  if (strip) {
    shapes.push(svg("rect", { x, y, width: strip, height, rx: corner, class: "bp-strip" }),
      svg("text", { x: x + strip / 2, y: y + height / 2 + 5, class: "bp-op", "font-size": op.length === 1 ? 16 : 12, text: op }));
  }
  const tag = svg("g", { class: "bp-right" },
    svg("rect", { x: left - 2, y: y + height - 5, width: end - left + 4, height: 14, rx: 7 }), right);
  return { group: svg("g", { class: "bp-card" }, ...shapes, ...texts, tag), title, data, name, grad, right };
}

// -- without a renderer: the graph as a table --------------------------------------------------------------

function graphTable(lab, room, { missing }) {
  const rows = lab.get("runs").names.map(() => [html("td"), html("td"), html("td"), html("td")]);
  const lines = rows.map((cells) => html("tr", {}, ...cells));
  const head = html("tr", {}, ...["node", "data", "grad", ""].map((text) => html("th", { scope: "col", text })));
  room.append(html("p", { class: "bp-note", text: `${missing} Here it is as a table:` }),
    html("table", { class: "bp-table" }, html("thead", {}, head), html("tbody", {}, ...lines)));
  return {
    show(steps, at) {
      const now = steps[at];
      const { names, data, right } = lab.get("runs");
      gradients(steps, at, rows.length).forEach((node, i) => {
        put(lines[i], { class: states(now, i, node).filter(Boolean).join(" ") });
        const texts = [names[i], data[i], `${node.grad ?? "—"}${node.more ? " …" : ""}`,
          now.wrong?.includes(i) ? `✗ right: ${right[i]}` : ""];
        texts.forEach((text, k) => put(rows[i][k], { text }));
      });
    },
    fit: () => false,
    follow({ node }) {
      lines[node]?.scrollIntoView?.({ block: "nearest" });
    },
  };
}

export default { render };
