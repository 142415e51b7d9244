// What the attention lab says: the sentence under the picture. Nothing is drawn here.

function lengthWords({ length, T, room, block }) {
  if (length <= room) return "";
  const why = room < block ? "the lab has no room for more" : `its block size is ${block}`;
  return `Of the ${commas(length)} characters the model sees the last ${T === 1 ? "one" : T}: ${why}. `;
}

function listensWords({ names, T, t, mask, weights, layer, head }) {
  const who = `Layer ${layer}, head ${head}: ${names[t]} (position ${t + 1} of ${T})`;
  const heard = mask ? t + 1 : T;
  if (heard === 1) return `${who} has ${T > 1 ? "nobody before it" : "no other"}: it listens to itself alone, with the weight 1. `;
  const row = [...weights].slice(0, heard);
  const most = row.indexOf(Math.max(...row));
  if (row[most] - Math.min(...row) < 0.005) {
    return `${who} listens to all ${heard} alike, as the average does: the weights are ${two(1 / heard)}. `;
  }
  const weight = `weight ${two(row[most])}`;
  const whom = most === t ? `itself (${weight})` : `${names[most]} (position ${most + 1}, ${weight})`;
  return `${who} listens most to ${whom}; the average would give each of the ${heard} a weight of ${two(1 / heard)}. `;
}

// the one cell of the map that the pointer is on
function cellWords({ names, t, under, mask, weights }) {
  if (under === undefined || under === null) return "";
  const whom = under === t ? "Itself" : `${names[under]} (position ${under + 1})`;
  if (mask && under > t) return `${whom} comes later: it is masked. `;
  return `${whom} gets the weight ${two(weights[under])}. `;
}

function switchWords({ mask, divide, trained, own, headSize }) {
  let words = "";
  if (mask !== own.mask) {
    words += mask ? "The mask hides what comes later; the model was made without one. "
      : "Without the mask a token also hears what comes after it, which it never could in training. ";
  }
  if (divide !== own.divide) {
    words += `The scores are ${divide ? "" : "not "}divided by √${headSize}; in training they were${divide ? " not" : ""}. `;
  }
  return words + (trained ? "" : "These are the weights from before the training. ");
}

function sentence(now) {
  const before = refusal(now);
  if (!now.T) return `${before}There is nothing to attend to: the text is empty. Type something, or choose an example.`;
  const [best] = now.likely;
  return `${before}${lengthWords(now)}${listensWords(now)}${cellWords(now)}${switchWords(now)}`
    + `Most probable next: ${best.name}, ${two(best.chance)}.`;
}
