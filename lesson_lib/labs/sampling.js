// The sampling lab: the model writes, and each place of the text can be looked at and decided otherwise. The pieces:
// attention_model.js runs the model, sampling_text.js draws characters, sampling_words.js says, sampling_view.js shows.

const LONGEST = 2000; // characters that are written
const LINE = 40; // of "Write 40"
const PACE = 90; // milliseconds for a character, while it writes on
const BUDGET = 9; // milliseconds of a frame that are for writing

function render(page) {
  const lab = frame(page, "sampling", draw);
  const [vocabulary, labels, names, program] = ["vocabulary", "labels", "names", "program"].map(lab.get);
  const place = new Map(vocabulary.map((character, i) => [character, i]));
  const text = reading(program, decode(lab.get("numbers")));
  const view = build(lab.stage);
  let row = 0; // the candidate that the Tab key comes to
  const idsOf = (trait) => Array.from(lab.get(trait), (character) => place.get(character));

  // -- what there is to see now -----------------------------------------------------------------------------

  // the candidates at a place of the text, and on whom its die falls
  function look(promptIds, ids, at) {
    text.turnTo([...promptIds, ...ids]);
    const found = candidates(text.logits(promptIds.length + at), lab.get("temperature"), lab.get("top_k"));
    const die = uniform(lab.get("seed"), at);
    return { ...found, die, falls: drawn(found, die) };
  }

  // −ln of the model's own share of each written character; null where it has not read so far
  function surprisesOf(promptIds, ids) {
    const [many, n] = [promptIds.length + ids.length, promptIds.length];
    if (many <= program.room && program.mask) text.logits(many); // all of it is read at once
    return ids.map((id, i) => (text.knows(n + i) ? surprise(text.logits(n + i), id) : null));
  }
  const costs = new WeakMap(); // by the logits, as long as these are kept
  function surprise(logits, id) {
    const known = costs.get(logits);
    if (known?.id !== id) costs.set(logits, { id, cost: -Math.log(Math.max(shares(logits)[id], 1e-300)) });
    return costs.get(logits).cost;
  }

  function now() {
    const [promptIds, ids] = [idsOf("prompt"), idsOf("written")];
    const at = Math.min(lab.get("place"), ids.length);
    const found = look(promptIds, ids, at);
    return { ...found, promptIds, ids, place: at, length: ids.length, longest: LONGEST, labels, names, row, V: vocabulary.length,
      here: at < ids.length ? ids[at] : found.falls, surprises: surprisesOf(promptIds, ids),
      temperature: lab.get("temperature"), before: promptIds.length + at, room: program.room, block: program.block,
      unknown: prompt.refused(), known: vocabulary.length, empty: !prompt.field.value };
  }

  // -- writing ------------------------------------------------------------------------------------------------

  let goal = null; // how many characters are to be written; null while nothing is
  let pace = 0; // milliseconds for each
  let stays = false; // whether the place that is looked at stays where it is
  let last = 0; // when the last one was written
  let asked = 0;

  function write(ids, promptIds, many) {
    for (let n = 0; n < many && ids.length < LONGEST; n++) ids.push(look(promptIds, ids, ids.length).falls);
    return ids;
  }
  const textOf = (ids) => ids.map((id) => vocabulary[id]).join("");

  function begin(aim, { ms = 0, hold = false } = {}) {
    [goal, pace, stays, last] = [Math.min(LONGEST, aim), ms, hold, 0];
    if (!asked) asked = requestAnimationFrame(work);
    lab.redraw();
  }
  function stop() {
    goal = null;
    lab.redraw();
  }

  // in each frame some of what is to be written, the more the more is left; then what is not read yet
  function work(time) {
    asked = 0;
    const [promptIds, ids] = [idsOf("prompt"), idsOf("written")];
    if (goal !== null && ids.length < goal) {
      if (time - last >= pace) {
        last = time;
        const end = performance.now() + BUDGET;
        const many = pace ? 1 : Math.ceil((goal - ids.length) / LINE);
        for (let n = 0; n < many && (n === 0 || performance.now() < end); n++) write(ids, promptIds, 1);
        lab.set({ written: textOf(ids), place: stays ? Math.min(lab.get("place"), ids.length) : ids.length });
      }
      if (ids.length >= goal) stop();
      else asked = requestAnimationFrame(work);
      return;
    }
    if (goal !== null) stop();
    const missing = ids.findIndex((_, i) => !text.knows(promptIds.length + i));
    if (missing < 0) return;
    text.turnTo([...promptIds, ...ids]);
    text.logits(promptIds.length + missing);
    lab.redraw();
  }

  // -- the controls -------------------------------------------------------------------------------------------

  const V = vocabulary.length;
  const prompt = typed(lab, { label: "prompt", name: "prompt", place, take(text) {
    goal = null;
    if (text) lab.set({ prompt: text, written: "", place: 0 });
    else lab.redraw();
  } });
  lab.listen(prompt.field, "keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (prompt.field.value && !prompt.refused().length) again();
  });
  newRow(lab);
  slider(lab, { label: "temperature", name: "temperature", min: 0.1, max: 2, step: 0.05, show: two });
  slider(lab, { label: "top-k", name: "top_k", min: 1, max: V, show: (k) => (k >= V ? `all ${V}` : String(k)) });
  slider(lab, { label: "seed", name: "seed", min: 1, max: 50 });
  newRow(lab);

  const size = () => [...lab.get("written")].length;
  function again() {
    const many = size() || LINE;
    lab.set({ written: "", place: 0 });
    begin(many);
  }
  const one = button(lab, { label: "Write 1", press: () => {
    goal = null;
    const ids = write(idsOf("written"), idsOf("prompt"), 1);
    lab.set({ written: textOf(ids), place: ids.length });
  } });
  const line = button(lab, { label: `Write ${LINE}`, press: () => begin((goal ?? size()) + LINE) });
  const play = button(lab, { label: "Write on", press: () => (goal === null ? begin(LONGEST, { ms: PACE }) : stop()) });
  const back = button(lab, { label: "Back", press: () => {
    goal = null;
    const left = idsOf("written").slice(0, -1);
    lab.set({ written: textOf(left), place: left.length });
  } });
  button(lab, { label: "Again from the prompt", press: again });
  lab.follow("written place", lab.redraw);

  // -- the picture ----------------------------------------------------------------------------------------------

  function draw(width) {
    const found = now();
    const full = found.length >= LONGEST;
    put(prompt.field, { "aria-invalid": found.unknown.length || found.empty ? "true" : null });
    put(play, { text: goal === null ? "Write on" : "Stop", "aria-disabled": full && goal === null ? "true" : null });
    for (const control of [one, line]) put(control, { "aria-disabled": full ? "true" : null });
    put(back, { "aria-disabled": found.length ? null : "true" });
    drawAll(view, found, width);
    lab.say(sentence(found));
    if (!asked && found.surprises.includes(null)) asked = requestAnimationFrame(work);
  }

  // -- pointer and keys -----------------------------------------------------------------------------------------

  const goTo = (at) => lab.set({ place: Math.max(0, Math.min(size(), at)) });
  // put a character at the place; what came after it is written anew, with the same dice
  function choose(id) {
    const [ids, at] = [idsOf("written"), Math.min(lab.get("place"), size())];
    if (at >= LONGEST || (at < ids.length && ids[at] === id)) return;
    const within = at < ids.length;
    lab.set({ written: textOf([...ids.slice(0, at), id]), place: within ? at : at + 1 });
    if (within) begin(ids.length, { hold: true });
    else goal = null;
  }

  lab.listen(view.written, "click", (event) => {
    const at = event.target.closest?.("[data-place]")?.dataset.place;
    if (at === undefined) return;
    goTo(Number(at));
    if (goal !== null) stop();
  });
  lab.listen(view.rows, "click", (event) => {
    const option = event.target.closest?.("[data-id]");
    if (!option) return;
    row = [...view.rows.childNodes].indexOf(option);
    choose(Number(option.dataset.id));
  });
  const keys = (group, move) => lab.listen(group, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !move(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  const BY = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -1e6, End: 1e6 };
  keys(view.written, (key) => {
    if (!BY[key]) return false;
    if (goal !== null) stop();
    goTo(lab.get("place") + BY[key]);
    const shown = view.written.childNodes; // what was written since the last frame is not among them yet
    (shown[lab.get("place")] ?? view.written.lastChild).focus({ preventScroll: true });
    return true;
  });
  keys(view.rows, (key) => {
    row = Math.min(row, view.rows.childNodes.length - 1); // there may be fewer by now
    if (key === "Enter" || key === " ") choose(Number(view.rows.childNodes[row].dataset.id));
    else if (BY[key]) {
      row = Math.max(0, Math.min(view.rows.childNodes.length - 1, row + BY[key]));
      view.rows.childNodes[row].focus({ preventScroll: true });
      lab.redraw();
    } else return false;
    return true;
  });

  return () => {
    cancelAnimationFrame(asked);
    asked = -1; // no frame is asked for any more
    lab.dispose();
  };
}

export default { render };
