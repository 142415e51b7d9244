// What the query–key lab computes and says: scores, weights and outputs, and the experiment. Nothing is drawn here.

// -- the numbers ----------------------------------------------------------------------------------------

const dot = ([a, b], [c, d]) => a * c + b * d;

// scores (T, T), what goes into the softmax (-∞ where masked), weights (T, T) and outputs (T, 2)
function attend({ query, key, value, mask, divide }) {
  const scores = query.map((q) => key.map((k) => dot(q, k)));
  const fed = scores.map((row, t) => row.map((score, i) => (mask && i > t ? -Infinity : divide ? score / Math.SQRT2 : score)));
  const weights = fed.map(shares);
  const out = weights.map((row) => [0, 1].map((c) => add(row.map((weight, i) => weight * value[i][c]))));
  return { scores, fed, weights, out };
}

const PAIRS = 1000;
const GROUP = 8; // as many scores share a softmax of the experiment
const MOST = 256; // the largest head size

// a whole number below 2^32 for each counter: mixed as MurmurHash3 mixes its last 32 bits
function noise(seed, counter) {
  let x = (Math.imul(counter, 0x9e3779b9) + Math.imul(seed + 1, 0x7f4a7c15)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

// The dot products of random queries and keys: a function of the head size. A larger head adds to what was drawn before,
// so nothing is drawn twice. By Box and Muller: two numbers from 0 to 1 become a point of the plane, and its coordinates
// are two independent normal numbers, one for the query and one for the key.
function drawer(seed) {
  const known = [new Float64Array(PAIRS)];
  return function products(size) {
    if (!known[size]) {
      const half = size === 1 ? 0 : size / 2;
      known[size] = products(half).map((sum, p) => {
        for (let c = half; c < size; c++) {
          const n = 2 * (MOST * p + c);
          const radius2 = -2 * Math.log((noise(seed, n) + 1) / 2 ** 32);
          const turn = (2 * Math.PI * noise(seed, n + 1)) / 2 ** 32;
          sum += (radius2 * Math.sin(2 * turn)) / 2; // q[c] · k[c], as cos(turn) · sin(turn) is sin(2 turn) / 2
        }
        return sum;
      });
    }
    return known[size];
  };
}

// What there is to know of many scores: their variance, and what a softmax over a few of them makes: its largest weight,
// its second largest and so on, on average over all groups of a few.
function measured(scores) {
  const mean = add(scores) / scores.length;
  const variance = add(scores.map((score) => (score - mean) ** 2)) / scores.length;
  const groups = range(scores.length / GROUP).map((g) => shares(scores.slice(g * GROUP, (g + 1) * GROUP)).sort((a, b) => b - a));
  return { scores, variance, weights: range(GROUP).map((i) => add(groups.map((weights) => weights[i])) / groups.length) };
}
const experiment = (products, size) => [Array.from(products), Array.from(products, (score) => score / Math.sqrt(size))].map(measured);

// -- how numbers are written ------------------------------------------------------------------------------

// in a product a negative number stands in brackets
const factor = (value) => (short(value).startsWith("−") ? `(${short(value)})` : short(value));
const pair = (vector) => `(${vector.map(short).join(", ")})`;
// a weight, never called 0 or 1 where it is neither
function share(weights, i) {
  const weight = weights[i];
  if (weight === 0) return "0";
  if (weight < 0.005) return "<0.01";
  if (weight >= 0.995) return weights.some((other, j) => j !== i && other > 0) ? ">0.99" : "1";
  return weight.toFixed(2);
}
const inWords = (text) => text.replace("<", "less than ").replace(">", "more than ");
// a variance, in three digits
const about = (variance) => variance.toPrecision(3);

// -- in words ---------------------------------------------------------------------------------------------

const length = (vector) => Math.hypot(...vector);
// in degrees, from 0 to 180
const angle = (a, b) => (Math.abs(Math.atan2(a[0] * b[1] - a[1] * b[0], dot(a, b))) * 180) / Math.PI;
const degrees = (a, b) => `${Math.round(angle(a, b))}°`;
const near = (a, b) => Math.abs(a - b) < 1e-9;

// who listens most to whom, and what comes out
function arrowWords(now) {
  const { names, query, key, scores, fed, weights, out, mask, divide, row: t } = now;
  const [q, given] = [query[t], weights[t]];
  const open = range(names.length).filter((i) => !mask || i <= t);
  const end = `The output is ${pair(out[t])}`;
  if (open.length === 1) {
    return `${names[t]} is the first token. With the mask on there is nobody before it, so it can listen only to itself: ` +
      `weight 1, whatever its score. ${end}, its own value.`;
  }
  const even = open.every((i) => near(given[i], 1 / open.length));
  if (even) {
    const why = length(q) === 0 ? `The query of ${names[t]} is (0, 0). It asks for nothing, and every score is 0`
      : open.every((i) => key[i].every((one, c) => near(one, key[0][c]))) ? `All keys that ${names[t]} may listen to are equal, and so are their scores, ${short(scores[t][0])}`
        : `All scores of ${names[t]} are equal, ${short(scores[t][0])}`;
    return `${why}: the ${open.length} weights are equal too, 1/${open.length} each. ${end}, the plain average of their values.`;
  }
  const most = Math.max(...given);
  const first = open.filter((i) => near(given[i], most));
  const [top] = first;
  const weight = inWords(share(given, top));
  const scaled = divide ? `, divided by √2 it is ${short(fed[t][top])}` : "";
  if (first.length > 1) {
    return `${names[t]} listens most to ${list(first.map((i) => names[i]))}, and equally: they have the same score, ` +
      `${short(scores[t][top])}${scaled}, and the weight ${weight} each. ${end}.`;
  }
  const turned = length(key[top]) === 0 ? "the key there is (0, 0)" : `the query and that key are ${degrees(q, key[top])} apart`;
  const start = `${names[t]} listens most to ${top === t ? "itself" : names[top]}: ${turned}, the score ` +
    `${short(scores[t][top])} is the largest${divide ? ` (${short(fed[t][top])} once divided by √2)` : ""}, and the weight is ${weight}.`;
  const full = most > 0.99 ? ` That is nearly all: long arrows make scores far apart, and then the softmax leaves almost nothing for the others.` : "";
  return `${start}${full} ${end}${most > 0.99 ? `, nearly the value of ${top === t ? "itself" : names[top]}` : ""}.`;
}

// the key that is looked at, and what the switches do
function keyWords(now) {
  const { names, query, key, scores, weights, mask, row: t, column: i } = now;
  const [q, k, given] = [query[t], key[i], weights[t]];
  const parts = [];
  const most = Math.max(...given);
  if (mask && i > t) parts.push(`${names[i]} comes later than ${names[t]}: it is masked, and its weight is 0 whatever its score.`);
  else if (given[i] < most && !near(given[i], most)) {
    const weight = inWords(share(given, i));
    if (length(k) === 0) parts.push(`The key of ${names[i]} is (0, 0): its score is 0 for every query; the weight is ${weight}.`);
    else if (angle(q, k) < 0.01) {
      parts.push(`The key of ${names[i]} points exactly where the query points, and yet a longer key has a larger score.`);
    } else {
      parts.push(`The key of ${names[i]} is ${degrees(q, k)} from the query: score ${short(scores[t][i])}, weight ${weight}.`);
    }
  } else if (length(q) && length(k) && angle(q, k) < 0.01) parts.push(`The key of ${names[i]} points exactly where the query points.`);
  const later = range(names.length).filter((j) => j > t);
  if (!mask && later.length) {
    const taken = add(later.map((j) => given[j]));
    parts.push(`The mask is off: ${names[t]} takes ${inWords(share([taken, 1 - taken], 0))} from what comes later.`);
  }
  return parts.join(" ");
}

// what the experiment shows
function experimentWords(size, [raw, scaled]) {
  const numbers = `${size} random number${size === 1 ? "" : "s"}`;
  const start = `With ${numbers} in each query and key, the variance of q · k is ${about(raw.variance)}, near head_size`;
  const [before, after] = [raw, scaled].map(({ weights }) => share(weights, 0));
  if (size === 1) return `${start}. And √1 = 1: here the division changes nothing. The largest of ${GROUP} weights is ${before} on average.`;
  const root = Math.sqrt(size);
  const end = size >= 64 ? "without it, each token would listen to nearly one other alone, before anything is learned."
    : size > 2 ? "without it, the softmax is the sharper the more numbers a head has." : "in so small a head the difference is small.";
  return `${start}. Divided by √${size}${Number.isInteger(root) ? ` = ${root}` : ` ≈ ${root.toFixed(2)}`}, it is ${about(scaled.variance)}, near 1. ` +
    `A softmax over ${GROUP} of these scores gives its largest weight ${before} on average without the division, and ${after} with it: ${end}`;
}
