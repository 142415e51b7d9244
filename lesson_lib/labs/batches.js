// The batch lab. Python sends the token ids of the text and what to show for each; the page moves the windows.

const [GAP, LEFT, SIDE] = [34, 84, 100]; // between the views; and to the left of the window and of the batch, for labels
const [WIDE, TALL] = [30, 32]; // a cell, where there is room
const narrowest = (ids) => 3 + 5.6 * String(ids).length; // a cell for an id that can still be read
const isCode = (mark) => mark.length >= 4; // the code point of an invisible character

function sentence({ ids, marks, block, batch, b, t, start }) {
  // the isolates keep right-to-left letters from carrying the words around them along
  const quote = (list) => `“\u2068${list.map((id) => (isCode(marks[id]) ? `[${marks[id]}]` : marks[id])).join("")}\u2069”`;
  const [context, target] = [ids.slice(start, start + t + 1), ids[start + t + 1]];
  return `Row b = ${b}, position t = ${t}: given ${quote(context)}, the next is ${quote([target])}. ` +
    `In ids: given [${context.join(", ")}], the next is ${target}. ` +
    `The ${block + 1} characters of this window hold one example for each position, ${block} in all; ` +
    `a batch of ${count(batch, "row")} holds ${batch} · ${block} = ${batch * block}.`;
}

function render(page) {
  const lab = frame(page, "batches", draw);
  const [ids, marks, total] = ["ids", "marks", "total"].map(lab.get);
  const most = { block: Math.min(lab.get("most_block"), ids.length - 1), batch: lab.get("starts").length };

  // what is looked at now; a number too large for the sizes stands for the last one there is
  function look() {
    const [block, batch] = [lab.get("block_size"), lab.get("batch_size")];
    const starts = lab.get("starts").slice(0, batch).map((start) => Math.min(start, ids.length - block - 1));
    const [b, t] = [Math.min(lab.get("row"), batch - 1), Math.min(lab.get("t"), block - 1)];
    return { ids, marks, total, block, batch, b, t, starts, start: starts[b], showIds: lab.get("show_ids") };
  }

  const start = slider(lab, {
    label: "window starts at", name: "starts", min: 0, max: ids.length - 2,
    position: () => look().start,
    value: (place) => lab.get("starts").map((start, b) => (b === look().b ? place : start)),
  });
  const t = slider(lab, { label: "position t", name: "t", min: 0, max: most.block - 1 });
  const row = slider(lab, { label: "row b", name: "row", min: 0, max: most.batch - 1 });
  slider(lab, { label: "block size T", name: "block_size", min: 1, max: most.block });
  slider(lab, { label: "batch size B", name: "batch_size", min: 1, max: most.batch });
  toggle(lab, { label: "ids in the batch", name: "show_ids" });
  button(lab, { label: "New batch", press: () => {
    const [draws, room] = [lab.get("draws") + 1, ids.length - lab.get("block_size")];
    const place = (_, b) => Math.floor(uniform(lab.get("seed"), draws * most.batch + b) * room);
    lab.set({ draws, starts: Array.from({ length: most.batch }, place) });
  } });

  // where these three end depends on the sizes
  function settle() {
    const now = look();
    for (const [input, value, max] of [
      [start, now.start, ids.length - now.block - 1], [t, now.t, now.block - 1], [row, now.b, now.batch - 1],
    ]) {
      put(input, { max, disabled: max === 0, "aria-valuetext": commas(value) });
      if (Number(input.value) !== value) input.value = value;
      put(input.nextElementSibling, { text: commas(value) });
    }
  }
  lab.follow("starts row t block_size batch_size", () => {
    settle();
    lab.redraw();
  });
  settle();

  const layers = Array.from({ length: 5 }, () => svg("g"));
  const picture = svg("svg", { role: "img", "aria-label": "The window on the text, and the tensors x and y" }, ...layers);
  lab.stage.append(picture, legend(lab.get("legend"), ids.length, total));
  // a click on an example, or on a cell of the batch, goes there
  lab.listen(picture, "click", ({ target }) => {
    const cell = target.closest("[data-t]");
    if (cell) lab.set({ row: Number(cell.dataset.b), t: Number(cell.dataset.t) });
  });

  // how high the picture is depends on the width alone, so that nothing below it moves (one exception: drawBatch)
  function draw(width) {
    const now = look();
    const half = (width - GAP) / 2;
    const beside = width >= 780 && (half - LEFT) / (most.block + 2) >= narrowest(marks.length - 1);
    const each = beside ? half : width;
    const drawing = { cells: [], texts: [], lines: [] };
    const foot = drawWindow(drawing, now, each, beside ? 262 : 240);
    const end = beside ? drawBatch(drawing, now, each + GAP, 0, each, 200) : drawBatch(drawing, now, 0, foot + 20, each, 152);
    put(picture, { width, height: Math.max(foot, end) + 4 });
    paint(layers, drawing, now);
    lab.say(sentence(now));
  }
  return lab.dispose;
}

function legend(marks, held, total) {
  const item = (...parts) => html("span", { class: "bt-item" }, ...parts);
  const key = (kind, words) => item(html("span", { class: `bt-key bt-${kind}` }), words);
  return html("p", { class: "bt-legend" }, key("context", "the context"), key("target", "the target: what comes next"),
    key("row", "where the other rows start"), ...marks.map(([mark, meaning]) => item(html("b", { text: mark }), meaning)),
    total > held ? item(`The lab holds the first ${commas(held)} of the text's ${commas(total)} characters.`) : "");
}

// -- the two views: what is to be drawn, as lists of cells, texts and lines; each returns where it ends -----------

// the window on the text, and below it the examples, in the columns of their characters
function drawWindow({ cells, texts, lines }, now, width, room) {
  const { ids, total, block, b, t, starts, start } = now;
  const size = Math.min(WIDE, (width - LEFT) / (block + 2));
  const x = (column) => LEFT + column * size;
  const kindOf = (column) => (column <= t ? "context" : column === t + 1 ? "target" : "data");
  const label = (y, text, strong) => texts.push({ x: LEFT - 8, y, text, kind: strong && "bt-strong", anchor: "end" });

  const title = `The window: T + 1 = ${block + 1} of ${commas(ids.length)} characters`;
  texts.push({ x: 0, y: 14, text: title, kind: "bt-strong" });

  // the text as a bar, with the places of all windows of the batch
  const along = (place) => 3 + ((width - 6) * place) / ids.length;
  const bar = (kind, x, y, width, height) => lines.push({ kind, d: `M${x} ${y}h${width}v${height}h${-width}z` });
  bar("bt-bar", 0, 28, width, 8);
  starts.forEach((place, row) => row !== b && bar("bt-row", along(place) - 1, 25, 2, 14));
  bar("bt-here", along(start) - 2, 24, 4 + along(block + 1) - along(0), 16);

  const before = Math.floor(LEFT / size);
  for (let column = -before; x(column + 1) <= width; column++) {
    const id = ids[start + column];
    const inside = column >= 0 && column <= block;
    if (id !== undefined) cells.push({ x: x(column), y: 52, size, height: 28, id, kind: inside ? kindOf(column) : "outside" });
    else if (start + column === ids.length && total > ids.length) {
      texts.push({ x: x(column + 0.5), y: 70, text: "…", kind: "ll-muted", anchor: "middle" });
    }
  }
  lines.push({ kind: "bt-frame", d: `M${x(0) - 2} 50H${x(block + 1) + 2}v32H${x(0) - 2}z` });

  const slice = (from) => `text[${from}:${from + block}]`;
  texts.push({ x: 0, y: 100, text: `x = ${slice(start)}   y = ${slice(start + 1)}`, kind: "bt-code" });
  label(130, "x", true);
  label(170, "y", true);
  for (let i = 0; i < block; i++) {
    for (const [shift, y, kind] of [[0, 108, i <= t ? "context" : "data"], [1, 148, i === t ? "target" : "data"]]) {
      const id = ids[start + i + shift];
      cells.push({ x: x(i + shift), y, size, height: 36, middle: 12, id, kind, pick: { "data-b": b, "data-t": i } });
      texts.push({ x: x(i + shift + 0.5), y: y + 30, text: id, kind: "bt-id", anchor: "middle", size: fit(11, String(id).length, size) });
    }
  }

  texts.push({ x: 0, y: 208, text: `It holds T = ${count(block, "example")}: a context, and its target`, kind: "bt-strong" });
  const [top, height] = [220, Math.min(TALL, room / block)];
  for (let i = 0; i < block; i++) {
    const y = top + i * height;
    label(y + height / 2 + 4, `t = ${i}`, i === t);
    for (let column = 0; column < i + 2; column++) {
      const kind = column > i ? "target" : i === t ? "context" : "data";
      cells.push({ x: x(column), y, size, height, id: ids[start + column], kind, strong: i === t, pick: { "data-b": b, "data-t": i } });
    }
  }
  return top + room;
}

// x and y, each with its shape: one below the other, or beside each other where that leaves room for the ids
function drawBatch(drawing, now, left, top, width, room) {
  const { texts } = drawing;
  const { block, batch, marks } = now;
  texts.push({ x: left, y: top + 14, text: `The batch: B = ${count(batch, "window")}; y is shifted by one`, kind: "bt-strong" });
  const x = left + SIDE;
  const half = (width - SIDE - 16) / 2;
  const beside = width >= 500 && half / block >= Math.max(16, narrowest(marks.length - 1));
  const size = Math.min(WIDE, (beside ? half : width - SIDE - 4) / block);
  const height = Math.min(TALL, room / batch);
  const tensor = (name, shift, x, top, labels) => drawTensor(drawing, now, { name, shift, x, top, size, height, labels, left });
  if (beside) {
    tensor("x", 0, x, top + 26, true);
    return tensor("y", 1, x + half + 12, top + 26, false) + room - batch * height;
  }
  const end = tensor("x", 0, x, top + 26, true);
  return tensor("y", 1, x, end + 14, true) + 2 * (room - batch * height);
}

function drawTensor({ cells, texts, lines }, now, { name, shift, x, top, size, height, labels, left }) {
  const { ids, block, batch, b, t, starts, showIds } = now;
  const y = top + 42;
  const [right, foot] = [x + block * size, y + batch * height];
  texts.push({ x, y: top + 14, text: name, kind: "bt-strong" });
  texts.push({ x: x + 14, y: top + 14, text: `shape (B, T) = (${batch}, ${block})` });
  texts.push({ x: (x + right) / 2, y: top + 31, text: `T = ${block}`, kind: "bt-size", anchor: "middle" });
  lines.push({ kind: "bt-brace", d: `M${x + 1} ${y - 3}v-4H${right - 1}v4` });
  if (labels) {
    texts.push({ x: left + 40, y: (y + foot) / 2 + 4, text: `B = ${batch}`, kind: "bt-size", anchor: "end" });
    lines.push({ kind: "bt-brace", d: `M${left + 50} ${y + 1}h-4V${foot - 1}h4` });
  }
  starts.forEach((start, row) => {
    const chosen = row === b;
    const middle = y + (row + 0.5) * height;
    if (labels) texts.push({ x: x - 8, y: middle + 4, text: `b = ${row}`, kind: chosen && "bt-strong", anchor: "end" });
    for (let i = 0; i < block; i++) {
      const kind = !chosen ? "data" : !shift && i <= t ? "context" : shift && i === t ? "target" : "data";
      const pick = { "data-b": row, "data-t": i };
      cells.push({ x: x + i * size, y: y + row * height, size, height, id: ids[start + i + shift], kind, asId: showIds, pick });
    }
  });
  lines.push({ kind: "bt-frame", d: `M${x - 2} ${y + b * height - 1}H${right + 2}v${height + 2}H${x - 2}z` });
  return foot;
}

// -- onto the page ------------------------------------------------------------------------------------

// from the back to the front: lines, cells, the outlined cells, frames, texts
function paint([back, plain, outlined, front, words], { cells, texts, lines }, { marks }) {
  const split = (list, test) => [list.filter((one) => !test(one)), list.filter(test)];
  const [behind, frames] = split(lines, ({ kind }) => kind === "bt-frame");
  for (const [group, list] of [[back, behind], [front, frames]]) {
    pool(group, list.length, () => svg("path")).forEach((element, i) => change(element, { d: list[i].d, class: list[i].kind }));
  }
  const [others, targets] = split(cells, ({ kind }) => kind === "target");
  for (const [group, list] of [[plain, others], [outlined, targets]]) {
    pool(group, list.length, newCell).forEach((element, i) => drawCell(element, list[i], marks));
  }
  pool(words, texts.length, () => svg("text")).forEach((element, i) => {
    const { x, y, text, kind, anchor, size } = texts[i];
    change(element, { x, y, text, class: kind, "text-anchor": anchor, "font-size": size });
  });
}

const newCell = () => svg("g", {}, svg("rect", { rx: 3 }), svg("text"));

function drawCell(element, { x, y, size, height, middle = height / 2, id, kind, asId, strong, pick }, marks) {
  const [box, letters] = element.childNodes;
  const text = asId ? String(id) : marks[id];
  const long = asId || isCode(text) ? text.length : 1;
  const tall = Math.min(13, height - 3);
  change(element, { class: `bt-cell bt-${kind}${strong ? " bt-strong" : ""}`, "data-b": null, "data-t": null, ...pick });
  change(box, { x: x + 1, y: y + 1, width: size - 2, height: height - 2 });
  change(letters, {
    x: x + size / 2, y: y + middle + tall * 0.34, text, "font-size": fit(tall, long, size), class: text[0] === "◌" && "bt-joined",
  });
}

// how large the letters can be where so many must fit into a cell
const fit = (wanted, letters, size) => Math.min(wanted, (size - 3) / (0.62 * letters)).toFixed(1);

export default { render };
