// What the sampling lab says: the sentence under the picture. Nothing is drawn here.

// a share in two decimals, and never 0.00 for what can come
const part = (value) => (value === 0 ? "0" : value < 0.005 ? "below 0.01" : two(value));

function promptWords({ empty }) {
  return !empty ? "" : "The prompt is empty, and the model needs at least 1 token to go on from: the picture stays with the "
    + "last prompt that could be read. ";
}

function placeWords({ place, length, longest, here, falls, die, names, chances, own }) {
  const share = `a share of ${part(chances[here])}`;
  const itself = Math.abs(chances[here] - own[here]) < 0.005 ? "" : ` (${part(own[here])} without temperature and top-k)`;
  if (place === length) {
    const full = length < longest ? "" : `The lab has room for ${commas(longest)} characters: nothing more is written. `;
    return `${full}The die of the next place is ${two(die)}: it falls on ${names[here]}, which has ${share}${itself}. `;
  }
  const where = `Character ${place + 1} of the ${length} that are written is ${names[here]}`;
  if (here === falls) return `${where}: it had ${share}${itself}, and the die, ${two(die)}, fell on it. `;
  const instead = `The die, ${two(die)}, would fall on ${names[falls]}.`;
  if (chances[here] === 0) return `${where}, which top-k cuts now: it was put there by hand, or with other settings. ${instead} `;
  return `${where}, put there by hand or with other settings: it has ${share}${itself}. ${instead} `;
}

function settingWords({ temperature, cut, order, own, chances, V }) {
  let words = "";
  if (cut === V - 1) words += `Top-k leaves ${V > 1 ? "the most probable character alone: there is no choice" : "one"}. `;
  else if (cut) {
    const lost = add(order.slice(V - cut).map((id) => own[id]));
    words += `Top-k leaves ${V - cut} of the ${V} characters; those that are cut had ${part(lost)} together. `;
  }
  if (temperature === 1 || cut === V - 1) return words;
  const most = part(chances[order[0]]);
  if (temperature < 1) return `${words}Below 1, the temperature makes the probable more probable: the most probable has ${most}. `;
  return `${words}Above 1, the temperature brings the chances closer together: the most probable has ${most}. `;
}

function surpriseWords({ length, surprises }) {
  if (!length) return "Nothing is written yet. ";
  const known = surprises.filter((surprise) => surprise !== null);
  if (known.length < length) return "The model is still reading what is written. ";
  const mean = add(known) / length;
  return `${length > 1 ? `The ${commas(length)} characters` : "The one character"} written surprise${length > 1 ? "" : "s"} the model by `
    + `${two(mean)}${length > 1 ? " on average" : ""} (−ln of its own share): the loss of what is written. `;
}

function blockWords({ before, room, block }) {
  if (before <= room) return "";
  return `Of the ${commas(before)} characters before this place the model sees the last ${room === 1 ? "one" : room}${
    room === block ? ": its block size" : ""}. `;
}

function sentence(now) {
  return (promptWords(now) + refusal(now, "prompt") + placeWords(now) + settingWords(now) + surpriseWords(now) + blockWords(now)).trim();
}
