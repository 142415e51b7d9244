// The attention lab: a text, and what each of its tokens listens to in the learner's model. The pieces:
// attention_model.js computes, attention_words.js says, attention_view.js draws, typed.js has the field for the text;
// here is what can be done.

const BARS = 5; // characters that may come next

function render(page) {
  const lab = frame(page, "attention", draw);
  const [vocabulary, signs, spoken, program] = ["vocabulary", "labels", "names", "program"].map(lab.get);
  const { room, block, heads } = program;
  const place = new Map(vocabulary.map((character, i) => [character, i]));
  const trained = decode(lab.get("numbers"));
  const untrained = lab.get("untrained_numbers") ? decode(lab.get("untrained_numbers")) : null;
  const view = build(lab.stage);
  let peek = null; // under the pointer: the token that would listen, and perhaps the one it would hear

  // -- what there is to see now -----------------------------------------------------------------------------

  const within = (value, low, high) => Math.max(low, Math.min(high, value));
  const sizeOf = (text) => Math.min([...text].length, room);

  // the model is run again only for another text or switch
  let known = { key: null };
  function compute(ids, switches) {
    const key = JSON.stringify([ids, switches]);
    if (known.key !== key) {
      const found = runModel(program, switches.trained || !untrained ? trained : untrained, ids, switches);
      known = { key, ...found, average: average(ids.length, switches.mask) };
    }
    return known;
  }

  function look() {
    const text = [...lab.get("text")];
    const ids = text.slice(-room).map((character) => place.get(character));
    const T = ids.length;
    const switches = { mask: lab.get("mask"), divide: lab.get("divide"), trained: lab.get("trained") };
    const layer = within(lab.get("layer"), 1, heads.length);
    const head = within(lab.get("head"), 1, heads[layer - 1]);
    const chosen = within(lab.get("position"), 1, Math.max(T, 1)) - 1;
    const t = peek && peek.t < T ? peek.t : chosen;
    const found = T ? compute(ids, switches) : { maps: [], next: [], average: [] };
    const { query } = program.steps.filter((step) => step.do === "attention")[layer - 1];
    const likely = T ? rank(found.next[t]) : [];
    const before = text.slice(0, text.length - T).slice(-9);
    return { T, t, chosen, under: peek?.i, layer, head, heads, ...switches, maps: found.maps, average: found.average, likely,
      weights: T ? found.maps[layer - 1][head - 1][t] : null,
      labels: ids.map((id) => signs[id]), names: ids.map((id) => spoken[id]),
      before: before.map((character) => signs[place.get(character)]), length: text.length, room, block,
      layers: heads.length, most: Math.max(...heads), own: program, unknown: refused(), known: vocabulary.length,
      headSize: query.out / heads[layer - 1] };
  }
  const rank = (chances) => range(chances.length).sort((a, b) => chances[b] - chances[a] || a - b).slice(0, BARS)
    .map((id) => ({ label: signs[id], name: spoken[id], chance: chances[id] }));

  // -- the controls -------------------------------------------------------------------------------------------

  function take(text) {
    const T = sizeOf(lab.get("text"));
    const last = lab.get("position") >= T; // then it stays the last one
    lab.set({ text, position: Math.max(1, last ? sizeOf(text) : Math.min(lab.get("position"), sizeOf(text))) });
  }
  const { field, toField, refused } = typed(lab, { label: "text", name: "text", place, take });
  const examples = lab.get("examples");
  if (examples.length) {
    const options = examples.map((text) => [text, toField(text)]);
    const choice = select(lab, { label: "example", name: "text", options, other: "your own" });
    lab.listen(choice, "change", () => lab.set({ position: Math.max(1, sizeOf(lab.get("text"))) }));
  }
  newRow(lab);

  // a choice of a number from 1 to n
  function choose(label, n) {
    const options = range(n).map((i) => html("option", { value: i + 1, text: i + 1 }));
    const input = html("select", { "aria-label": label }, ...options);
    input.disabled = n === 1;
    control(lab, "select", label, input);
    lab.listen(input, "change", () => lab.set({ [label]: Number(input.value) }));
    return input;
  }
  const layerChoice = choose("layer", heads.length);
  const headChoice = choose("head", Math.max(...heads));
  toggle(lab, { label: "mask the future", name: "mask" });
  toggle(lab, { label: "divide by √head_size", name: "divide" });
  if (untrained) toggle(lab, { label: "trained weights", name: "trained" });
  lab.follow("layer head position", lab.redraw);

  // -- the picture ----------------------------------------------------------------------------------------------

  function draw(width) {
    const now = look();
    for (const [input, value, n] of [[layerChoice, now.layer, heads.length], [headChoice, now.head, heads[now.layer - 1]]]) {
      if (input.value !== String(value)) input.value = value;
      [...input.options].forEach((option, i) => { option.disabled = i >= n; });
    }
    put(field, { "aria-invalid": now.unknown.length ? "true" : null });
    drawAll(view, now, measure(width, now));
    lab.say(sentence(now));
  }

  // -- pointer and keys -----------------------------------------------------------------------------------------

  const pick = (t) => {
    peek = null;
    lab.set({ position: within(t, 0, Math.max(0, sizeOf(lab.get("text")) - 1)) + 1 });
  };
  function pickMap(layer, head) {
    const l = within(layer, 1, heads.length);
    lab.set({ layer: l, head: within(head, 1, heads[l - 1]) });
  }
  const at = (event) => event.target.closest?.("[data-t], [data-row], [data-layer]")?.dataset ?? {};
  lab.listen(view.svg, "pointermove", (event) => {
    const { t, row } = at(event);
    let next = null;
    if (t !== undefined) next = { t: Number(t) };
    if (row !== undefined) {
      const box = event.target.getBoundingClientRect();
      const T = sizeOf(lab.get("text"));
      const i = Math.floor(((event.clientX - box.left - ROW_SIGN) / (box.width - ROW_SIGN)) * T); // < 0: on the row's sign
      next = { t: Number(row), i: i >= 0 ? Math.min(i, T - 1) : undefined };
    }
    if (next?.t === peek?.t && next?.i === peek?.i) return;
    peek = next;
    lab.redraw();
  });
  lab.listen(view.svg, "pointerleave", () => {
    if (!peek) return;
    peek = null;
    lab.redraw();
  });
  lab.listen(view.svg, "click", (event) => {
    const { t, row, layer, head } = at(event);
    if (layer) pickMap(Number(layer), Number(head));
    else if ((t ?? row) !== undefined) pick(Number(t ?? row));
  });

  const keys = (group, move) => lab.listen(group, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = move(event.key);
    if (!target) return;
    target.focus();
    event.preventDefault();
    event.stopPropagation();
  });
  const BY = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -1000, End: 1000 };
  for (const group of [view.tokens, view.rows]) {
    keys(group, (key) => {
      if (!BY[key]) return null;
      pick(lab.get("position") - 1 + BY[key]);
      return group.childNodes[lab.get("position") - 1];
    });
  }
  keys(view.small, (key) => {
    if (!BY[key]) return null;
    const down = key === "ArrowUp" || key === "ArrowDown";
    pickMap(lab.get("layer") + (down ? BY[key] : 0), lab.get("head") + (down ? 0 : BY[key]));
    return view.small.childNodes[lab.get("layer") - 1].childNodes[lab.get("head") - 1];
  });

  return lab.dispose;
}

export default { render };
