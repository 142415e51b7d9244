// What all labs share. base.py puts this file in front of a lab's own, and both become one module.
// A lab's own file reads like this:
//
//   function render(page) {
//     const lab = frame(page, "swing", draw);               // title, stage, controls, sentence, problem line
//     slider(lab, { label: "angle", name: "angle", min: -90, max: 90, step: 1 });
//     const bob = svg("circle", { r: 8, class: "swing-bob" });   // make what you draw once ...
//     const picture = svg("svg", { height: 200 }, bob);
//     lab.stage.append(picture);
//     function draw(width) {                                // ... and move it on each drawing
//       put(picture, { width });
//       put(bob, { cx: width / 2 + lab.get("angle"), cy: 100 });
//       lab.say(`The angle is ${lab.get("angle")} degrees.`);
//     }
//     return lab.dispose;
//   }
//   export default { render };
//
// Python and page share the traits, by name. Of the model nothing is used but get, set, save_changes, on
// and off. Text goes into the page as text, never as HTML. Styles are in base.css; plot.js has axes for curves.

// -- elements ---------------------------------------------------------------------------------------

// set attributes in place: null or false takes one away, `text` is the content
function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") {
      if (element.textContent !== String(value)) element.textContent = value;
    } else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

// most of the picture stays as it is on each drawing: `put` only what is another than the last time
const lastPut = new WeakMap();
function change(element, attributes) {
  const key = JSON.stringify(attributes);
  if (lastPut.get(element) !== key) put(element, attributes);
  lastPut.set(element, key);
}

function html(tag, attributes = {}, ...children) {
  const element = put(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

function svg(tag, attributes = {}, ...children) {
  const element = put(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
  element.append(...children);
  return element;
}

// -- the frame --------------------------------------------------------------------------------------

// `draw(width)` is called at most once a frame, after anything changed; width is the stage's, in pixels
function frame({ model, el }, name, draw) {
  const id = `ll-${Math.random().toString(36).slice(2)}`;
  const title = html("p", { class: "ll-title", id: `${id}-title` });
  const stage = html("div", { class: "ll-stage" });
  const controls = html("div", { class: "ll-controls" });
  const sentence = html("p", { class: "ll-sentence", id: `${id}-sentence`, "aria-live": "polite" });
  const problem = html("p", { class: "ll-problem", role: "alert" });
  const root = html("section", {
    class: "ll-lab",
    "data-lab": name,
    "data-draws": 0,
    "aria-labelledby": title.id,
    "aria-describedby": sentence.id,
  }, title, stage, controls, sentence, problem);

  const end = new AbortController();
  const followed = [];
  const unsent = {}; // what was set here, and Python does not know yet
  let asked = 0; // the frame asked for, 0 when none is
  let mistake = ""; // what the drawing itself did wrong

  const lab = {
    stage, controls,
    alone: Boolean(model.get("alone")), // whether this page has no Python: export.py says so
    get: (trait) => (trait in unsent ? unsent[trait] : model.get(trait)),

    // change traits, here and in Python: lab.set({ x: 1 }). First comes the picture, and right after it Python is told
    set(values) {
      Object.assign(unsent, values);
      for (const [trait, value] of Object.entries(values)) model.set(trait, value);
      lab.redraw();
      if (document.hidden) send(); // then no frame comes
    },

    // call back whenever one of the traits (names with spaces between) was changed, by whomever
    follow(traits, callback) {
      for (const trait of traits.split(" ")) {
        followed.push([`change:${trait}`, callback]);
        model.on(`change:${trait}`, callback);
      }
    },

    // listen to an element's event until the lab is taken off the page
    listen: (target, event, callback) => target.addEventListener(event, callback, { signal: end.signal }),

    // the sentence in words on what there is to see now
    say: (text) => put(sentence, { text }),

    redraw() {
      if (!asked) asked = requestAnimationFrame(paint);
    },

    dispose() {
      send();
      end.abort();
      size.disconnect();
      cancelAnimationFrame(asked);
      for (const [event, callback] of followed) model.off(event, callback);
      root.remove(); // JupyterLab keeps the element around it, of every run of the cell
    },
  };

  function paint() {
    asked = 0;
    try {
      draw(stage.clientWidth || width || 640);
      mistake = "";
    } catch (error) {
      mistake = `The picture could not be drawn: ${error}`;
      console.error(error);
    }
    showProblem();
    root.dataset.draws = Number(root.dataset.draws) + 1;
    setTimeout(send); // after the pixels
  }

  function send() {
    const values = Object.entries(unsent);
    if (!values.length) return;
    // once more: meanwhile Python's answer to what was sent before may have set an older value
    for (const [trait, value] of values) model.set(trait, value);
    for (const [trait] of values) delete unsent[trait];
    model.save_changes();
  }

  // JupyterLab takes the arrow keys and Enter from any element in focus that does not itself say no
  lab.listen(root, "focusin", (event) => put(event.target, { "data-lm-suppress-shortcuts": true }));
  const showProblem = () => put(problem, { text: mistake || model.get("problem") || "" });
  const showTitle = () => put(title, { text: model.get("title") });
  const showSentence = () => lab.say(model.get("sentence") || "");

  let width = 0; // the last one seen: for a moment, as when JupyterLab changes its theme, there is none
  const size = new ResizeObserver(() => {
    if (!stage.clientWidth || stage.clientWidth === width) return;
    width = stage.clientWidth;
    lab.redraw();
  });
  size.observe(stage);

  lab.follow("title", showTitle);
  lab.follow("sentence", showSentence);
  lab.follow("problem", showProblem);
  showTitle();
  showSentence();
  showProblem();
  el.append(root);
  lab.redraw();
  return lab;
}

// The way to take a lab off the page that trains in Python: with the last place that shows it, its training stops.
const shown = new WeakMap(); // model -> how many places of the page show it
function stopUnseen(lab, model) {
  shown.set(model, (shown.get(model) ?? 0) + 1);
  return () => {
    shown.set(model, shown.get(model) - 1);
    if (shown.get(model) === 0 && lab.get("running")) lab.set({ running: false });
    lab.dispose();
  };
}

// -- controls: each is bound to the trait `name` and goes below the picture, in the order made ---------

function control(lab, kind, label, ...fields) {
  const row = html("label", { class: `ll-control ll-${kind}` }, html("span", { text: label }), ...fields);
  lab.controls.append(row);
  return row;
}

// what the lab leaves out where it is alone, in words
function remark(lab, text) {
  if (lab.alone) lab.controls.append(html("p", { class: "ll-remark", text }));
}

// the controls that follow begin a new row
const newRow = (lab) => lab.controls.append(html("div", { class: "ll-row" }));

function bind(lab, name, refresh) {
  lab.follow(name, () => {
    refresh();
    lab.redraw();
  });
  refresh();
}

// the place in a list of numbers above 0 of the one that has the smallest ratio to v
const nearest = (values, v) => values.reduce((best, one, i) =>
  (Math.abs(Math.log(one / v)) < Math.abs(Math.log(values[best] / v)) ? i : best), 0);

// a slider. `show` turns the trait into the text beside it. Where the slider's scale is not the trait's, `position` turns
// the trait into the slider's number and `value` turns it back; with `values`, numbers above 0, it goes along this list.
function slider(lab, {
  label, name, values, min = 0, max = values.length - 1, step = 1, show = String,
  position = (v) => (values ? nearest(values, v) : v), value = (p) => (values ? values[p] : p),
}) {
  const input = html("input", { type: "range", min, max, step, "aria-label": label });
  const text = html("span", { class: "ll-value", "aria-hidden": "true" }); // aria-valuetext says it
  control(lab, "slider", label, input, text);
  lab.listen(input, "input", () => lab.set({ [name]: value(Number(input.value)) }));
  bind(lab, name, () => {
    const trait = lab.get(name);
    const place = position(trait);
    put(input, { min: Math.min(min, place), max: Math.max(max, place), "aria-valuetext": show(trait) });
    if (Number(input.value) !== place) input.value = place;
    put(text, { text: show(trait) });
  });
  return input;
}

// a choice. `options` is a list of [value, text]; `other` is shown where the trait is none of them
function select(lab, { label, name, options, other = "" }) {
  const none = html("option", { value: "", text: other, disabled: true });
  const input = html("select", { "aria-label": label },
    ...options.map(([value, text]) => html("option", { value, text })), none);
  control(lab, "select", label, input);
  lab.listen(input, "change", () => lab.set({ [name]: input.value }));
  bind(lab, name, () => {
    input.value = lab.get(name);
    if (input.selectedIndex < 0) none.selected = true;
    none.hidden = !none.selected;
  });
  return input;
}

// a line of text, handed over on Enter and on leaving the field
function textField(lab, { label, name }) {
  const input = html("input", { type: "text", "aria-label": label, spellcheck: "false", autocomplete: "off" });
  control(lab, "text", label, input);
  lab.listen(input, "change", () => lab.set({ [name]: input.value }));
  lab.listen(input, "keydown", (event) => { // on Enter JupyterLab lets no change event come
    if (event.key === "Enter" && !event.isComposing) lab.set({ [name]: input.value });
  });
  bind(lab, name, () => { if (input.value !== lab.get(name)) input.value = lab.get(name); });
  return input;
}

// on or off
function toggle(lab, { label, name }) {
  const input = html("input", { type: "checkbox", role: "switch", "aria-label": label });
  control(lab, "switch", label, input);
  lab.listen(input, "change", () => lab.set({ [name]: input.checked }));
  bind(lab, name, () => { input.checked = lab.get(name); });
  return input;
}

// `press` is called on a click, on Enter and on Space
function button(lab, { label, press }) {
  const element = html("button", { type: "button", text: label });
  lab.controls.append(element);
  lab.listen(element, "click", press);
  return element;
}
