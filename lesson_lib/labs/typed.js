// A field for a text of characters that a model knows, and what is said where it holds others.

// `name` is the trait, `place` a map from each known character to its number; `take(text)` is called with each new text
// that is known. Returned are the field, `toField`, which turns a text into what the field shows, and `refused()`: the
// characters that the model does not know, while there are any.
function typed(lab, { label, name, place, take }) {
  // a field drops line ends and would not show a tab: there they are signs, where these mean nothing else
  const stands = [["\n", "⏎"], ["\t", "⇥"]].filter(([, sign]) => !place.has(sign));
  const toField = (text) => stands.reduce((made, [character, sign]) => made.replaceAll(character, sign), text);
  const fromField = (text) => stands.reduce((made, [character, sign]) => made.replaceAll(sign, character), text);
  let refused = [];

  const field = html("input", { type: "text", "aria-label": label, spellcheck: "false", autocomplete: "off", dir: "auto" });
  control(lab, "text", label, field);
  function read() {
    const text = fromField(field.value);
    refused = [...new Set(text)].filter((character) => !place.has(character));
    if (refused.length) lab.redraw();
    else take(text);
  }
  lab.listen(field, "input", read);
  bind(lab, name, () => {
    refused = [];
    if (fromField(field.value) !== lab.get(name)) field.value = toField(lab.get(name));
  });
  if (place.has("\n")) {
    button(lab, { label: "add ⏎", press: () => {
      field.value += toField("\n");
      read();
    } });
  }
  return { field, toField, refused: () => refused };
}

// why the text in the field is not the one in the picture
function refusal({ unknown, known }, what = "text") {
  if (!unknown.length) return "";
  const shown = unknown.slice(0, 5).map((character) => `“\u2068${character}\u2069”`);
  const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : "";
  const names = more ? `${shown.join(", ")}${more}` : list(shown);
  return `${names} ${unknown.length > 1 ? "are" : "is"} not among the ${known} characters that the model knows: `
    + `the picture stays with the last ${what} that could be read. `;
}
