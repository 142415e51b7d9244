// The softmax lab in words: how it writes its numbers, and the sentence on what there is to see.

// a logit: 2.0, −0.25, 1280
function logit(z) {
  if (!Number.isFinite(z)) return z < 0 ? "−∞" : "nan";
  const size = Math.abs(z);
  const places = size >= 1000 ? 0 : size >= 100 || Math.abs(z * 10 - Math.round(z * 10)) < 1e-9 ? 1 : 2;
  return minus(z.toFixed(places).replace(/^-(0[.0]*)$/, "$1"));
}

// a number of any size, 0 or more: 0.368, 4.5e−5, ∞
function magnitude(value) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "nan";
  if (value === 0 || (value >= 0.001 && value < 10000)) return String(Number(value.toPrecision(3)));
  return minus(value.toExponential(value < 1e-99 ? 0 : 1).replace("+", ""));
}

// a probability in three places, and never 0 or 1 for what is neither
function chance(p, others) {
  if (Number.isNaN(p)) return "nan";
  if (p === 0) return "0";
  if (p < 0.0005) return "<0.001";
  if (p < 0.9995) return p.toFixed(3);
  return others ? ">0.999" : "1";
}
const share = (probs, i) => chance(probs[i], probs.some((p, j) => j !== i && p > 0));
const inWords = (text) => text.replace("<", "less than ").replace(">", "more than ");

// a derivative in two places, for the small squares
const entry = (d) => (Number.isNaN(d) ? "nan" : minus(d.toFixed(2).replace(/^-0\.00$/, "0.00")));
// a derivative in the sentence
const slope = (d) => (d === 0 ? "0" : Math.abs(d) < 0.0005 ? minus(d.toExponential(0)) : minus(String(Number(d.toFixed(3)))));

const largestOf = (derivatives) => Math.max(...derivatives.flat().map(Math.abs));
const largestWords = ({ derivatives, whole }) => (whole ? `largest entry: ${slope(largestOf(derivatives))}` : "no shares, no derivatives");

// the plain formula, and where it breaks: "" where it does not
function plainWords({ subtractLargest, scaled, exps, sum, probs, real, settings, whole }) {
  if (subtractLargest) return "";
  const should = softmax(real, { ...settings, subtractLargest: true }).probs;
  const cure = "Subtract the largest first, and the shares come out right: the largest is " +
    `${inWords(chance(Math.max(...should), should.filter((p) => p > 0).length > 1))}.`;
  const top = logit(Math.max(...scaled));
  if (exps.includes(Infinity)) {
    return `Without subtracting the largest, the formula breaks: e to the power of ${top} is more than a float32 can hold ` +
      `(3.4e38, that is e to 88.7), and becomes ∞. And ∞ ÷ ∞ is nan, not a number. ${cure}`;
  }
  if (sum === Infinity) {
    return `Without subtracting the largest, the formula breaks: each power fits into a float32, but their sum does not, ` +
      `and becomes ∞. All shares are 0. ${cure}`;
  }
  if (sum === 0) {
    return `Without subtracting the largest, the formula breaks: e to the power of ${top} is so small that a float32 makes ` +
      `it 0, and 0 ÷ 0 is nan, not a number. ${cure}`;
  }
  const off = Math.max(...probs.map((p, i) => Math.abs(p - should[i])));
  return !whole || off > 0.001 ? `Without subtracting the largest, the powers are so small that a float32 holds them badly: ` +
    `a share is wrong by ${slope(off)}. ${cure}` : "";
}

// who gets most
function shareWords(now) {
  const { open, real, probs, names } = now;
  const top = Math.max(...real);
  const first = open.filter((i) => real[i] === top);
  const most = inWords(share(probs, first[0]));
  if (open.length === 1) return `Only ${names[first[0]]} is left: it gets 1, whatever its logit is.`;
  if (first.length === open.length) {
    const who = open.length === names.length ? `All ${open.length} logits` : `The ${open.length} logits that are left`;
    return `${who} are equal: each gets the same share, 1/${open.length} = ${most}.`;
  }
  const least = Math.min(...open.map((i) => probs[i]));
  const flat = Math.max(...probs) < 1.1 * least ? "Nearly flat: " : "";
  return first.length > 1
    ? `${flat}${list(first.map((i) => names[i]))} have the largest logit, ${logit(top)}, and share the largest probability: ${most} each.`
    : `${flat}${names[first[0]]} has the largest logit, ${logit(top)}, and the largest probability: ${most}.`;
}

function entropyWords({ entropy, open }) {
  if (open.length === 1) return "The entropy is 0: nothing is unsure.";
  return `The entropy is ${entropy.toFixed(2)} nats, of at most ln ${open.length} = ${Math.log(open.length).toFixed(2)}: ` +
    `as unsure as among ${Math.exp(entropy).toFixed(1)} equal choices.`;
}

function slopeWords({ open, derivatives, chosen, masked, names }) {
  const largest = largestOf(derivatives);
  if (open.length === 1) return "Every derivative is 0: no gradient comes through.";
  if (largest < 0.01) {
    return `Saturated: every derivative is near 0, the largest is ${slope(largest)}, so almost no gradient comes through.`;
  }
  if (masked[chosen]) return `The largest derivative is ${slope(largest)}.`;
  const own = derivatives[chosen][chosen];
  const grows = own === 0 ? "nothing changes, so far away is it"
    : `its probability grows ${slope(own)} times as much, and the others lose that together`;
  return `Raise the s of ${names[chosen]} a little: ${grows}. The largest derivative is ${slope(largest)}.`;
}

// what was done to the logits on their way
function changeWords({ masked, names, timesEight, temperature, plusHundred, subtractLargest }) {
  const factor = (timesEight ? 8 : 1) / temperature;
  const heat = `${timesEight ? "t" : "T"}emperature ${digits(temperature, 4)}`;
  const who = [timesEight && "The 8", temperature !== 1 && heat].filter(Boolean);
  const said = [];
  if (factor !== 1) {
    said.push(`${list(who)} make${who.length > 1 ? "" : "s"} each difference ${digits(factor, 3)} times as large; the order stays.`);
  } else if (who.length) said.push(`${list(who)} undo each other.`);
  if (plusHundred) {
    said.push(`The 100 added to all changes no probability${subtractLargest ? "" : ", while the powers still fit"}.`);
  }
  const off = names.filter((_, i) => masked[i]);
  if (off.length) said.push(`Masked, and so exactly 0, in all derivatives too: ${list(off)}.`);
  return said.join(" ");
}

function sentence(now) {
  if (!now.open.length) {
    return "Every logit is −∞, and e to the power of that is 0: there is nothing to share among. 0 ÷ 0 is nan, not a number, " +
      "in PyTorch as well. Bring one back: drag it to the right, or press Enter on it.";
  }
  return plainWords(now) || [shareWords(now), entropyWords(now), slopeWords(now), changeWords(now)].filter(Boolean).join(" ");
}
