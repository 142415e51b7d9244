// What the aggregation lab computes and says: three ways to weights, and the outputs that they make. Nothing is drawn here.

// -- the numbers ----------------------------------------------------------------------------------------

const additions = (T) => (T * (T + 1)) / 2;
// the step of the loop in which row t gets the vector of i
const stepOf = (t, i) => additions(t) + i + 1;

// the row and column at which the loop is after so many additions
function place(step) {
  if (!step) return [-1, -1];
  let t = 0;
  while (additions(t + 1) < step) t++;
  return [t, step - additions(t) - 1];
}

// One row. `shares` is what is divided (null where masked), `sum` what by; no weights where there is nothing to share.
function spread(row, { way, divide, allowed }) {
  const kept = row.map((value, i) => (allowed(i) ? value : null));
  // e^0 = 1, so logits of 0 are the same as numbers of 1; a masked logit is -∞, and e^-∞ = 0
  const shares = kept.map((value) => (value === null ? 0 : way === "softmax" ? Math.exp(value) : value));
  const sum = add(shares);
  if (!divide) return { sum, weights: shares };
  if (sum === 0) return { sum, weights: null };
  if (way !== "softmax") return { sum, weights: shares.map((share) => share / sum) };
  const top = Math.max(...kept.filter((value) => value !== null));
  const small = kept.map((value) => (value === null ? 0 : Math.exp(value - top)));
  const total = add(small);
  return { sum, weights: small.map((share) => share / total) };
}

const weigh = (weights, x) => [0, 1].map((c) => add(weights.map((weight, i) => weight * x[i][c])));

// all that there is to know of the lab's state: for each row its sum, weights and output (null where it has none)
function aggregate({ way, x, numbers, logits, mask, divide, step }) {
  const T = x.length;
  if (way === "loop") {
    const [t, i] = place(step);
    const rows = range(T).map((p) => {
      const done = step >= additions(p + 1);
      const weights = done ? range(T).map((j) => (j <= p ? 1 / (p + 1) : 0)) : null;
      return { sum: done ? p + 1 : null, weights, out: weights && weigh(weights, x) };
    });
    const added = t < 0 ? [] : x.slice(0, i + 1);
    return { rows, running: [0, 1].map((c) => add(added.map((vector) => vector[c]))), t, i };
  }
  const table = way === "softmax" ? logits : numbers;
  const rows = table.map((row, t) => {
    const { sum, weights } = spread(row, { way, divide, allowed: (i) => i <= t || !mask });
    return { sum, weights, out: weights && weigh(weights, x) };
  });
  return { rows };
}

// -- in words --------------------------------------------------------------------------------------------

// for a sentence: what is not quite 0 is not called 0
function precise(value) {
  const size = Math.abs(value);
  if (size === 0 || size >= 0.005) return short(value);
  const text = size < 1e-5 ? value.toExponential(0) : value.toFixed(Math.ceil(-Math.log10(size)));
  return minus(text);
}
const pair = (vector) => `(${vector.map(precise).join(", ")})`;

// out[2] = 1/3 · d + 1/3 · e + 1/3 · a = 1/3 · (4, 0) + 1/3 · (2, 6) + 1/3 · (0, 3) = (2, 3).
function spelled({ names, x, divide }, t, { weights, out }) {
  const givers = range(x.length).filter((i) => weights[i] > 0);
  if (!givers.length) return `out[${t}] = (0, 0): nothing is taken from any token.`;
  const even = givers.every((i) => Math.abs(weights[i] * givers.length - 1) < 1e-12);
  const share = (i) => (divide && even ? (givers.length === 1 ? "1" : `1/${givers.length}`) : precise(weights[i]));
  const round = (even || givers.every((i) => exact(weights[i]))) && [...out, ...givers.flatMap((i) => x[i])].every(exact);
  const terms = (what) => givers.map((i) => `${share(i)} · ${what(i)}`).join(" + ");
  const vectors = x.length > 5 ? "" : ` = ${terms((i) => pair(x[i]))}`;
  return `out[${t}] = ${terms((i) => names[i])}${vectors} ${round ? "=" : "≈"} ${pair(out)}.`;
}

function loopSentence(now) {
  const { names, x, step, rows, running, t, i, shown } = now;
  const T = x.length;
  const all = additions(T);
  const total = `All ${count(T, "average")} took ${count(all, "addition")} and ${count(T, "division")}, one after the other.`;
  if (shown !== t) return `${spelled(now, shown, rows[shown])} ${step === all ? total : "The loop has done this row."}`;
  if (t < 0) return `No addition yet, ${all} to come: for each position t, the vectors from 0 up to t, one after the other.`;
  const before = running.map((value, c) => value - x[i][c]);
  const sum = i ? `${pair(before)} + ${pair(x[i])} = ${pair(running)}` : `(0, 0) + ${pair(x[0])} = ${pair(running)}`;
  const start = `Addition ${step} of ${all}, t = ${t}, i = ${i}: the sum takes in ${names[i]}, ${sum}.`;
  if (i < t) return `${start} ${t - i} more for row ${t}. Then the sum is divided by ${t + 1}.`;
  const end = step === all ? total : `Next comes row ${t + 1}: its sum begins again at (0, 0).`;
  const { out } = rows[t];
  return `${start} That was all for row ${t}: divided by ${t + 1}, it is out[${t}] ${out.every(exact) ? "=" : "≈"} ${pair(out)}. ${end}`;
}

// what happens to the tokens that come later than position t
function futureWords({ names, mask, shown: t }, weights) {
  const later = names.slice(t + 1);
  if (!later.length) return mask ? "" : "Nothing comes later than this row, so the mask would hide nothing here.";
  const come = later.length === 1 ? "comes" : "come";
  if (mask) return `Row ${t} gives ${list(later)}, which ${come} later, nothing.`;
  const seen = range(later.length).filter((k) => weights[t + 1 + k] > 0);
  if (!seen.length) return `The mask is off, but this row takes nothing from what comes later.`;
  const taken = seen.map((k) => `${precise(weights[t + 1 + k])} from ${later[k]}`);
  return `Careful: the mask is off, and row ${t} looks into the future. It takes ${list(taken)}: what it should predict is already in it.`;
}

function sentence(now) {
  if (now.way === "loop") return loopSentence(now);
  const { names, way, rows, mask, divide, shown: t, shuffled } = now;
  const { sum, weights, out } = rows[t];
  if (!out) {
    return `Row ${t} sums to 0: there is nothing to share, and 0 divided by 0 is no number. So out[${t}] does not exist. ` +
      `Make one of the numbers in this row larger than 0.`;
  }
  const parts = [spelled(now, t, rows[t])];
  if (!divide) {
    const what = way === "softmax" ? "These are only e to the power of each logit, not yet a softmax. " : "";
    parts.push(`${what}Without the division row ${t} sums to ${precise(sum)}${Math.abs(sum - 1) < 1e-9
      ? ", so here it is an average all the same." : ": its output is no average."}`);
  } else if (way === "softmax") {
    parts.push(`Each weight is e to the power of its logit, divided by the sum of the row, ${precise(sum)}.`);
  }
  parts.push(futureWords(now, weights));
  const silent = names.filter((_, i) => i <= t && weights[i] === 0);
  if (silent.length) parts.push(`It takes nothing from ${list(silent)}.`);
  const plain = divide && weights.every((weight, i) => Math.abs(weight - (i <= t ? 1 / (t + 1) : 0)) < 1e-12);
  if (plain) parts.push(`It is the plain average of the past: all three ways make these numbers.`);
  if (shuffled && t === names.length - 1) {
    const even = weights.slice(0, t).every((weight) => Math.abs(weight - weights[0]) < 1e-12);
    parts.push(`The past is shuffled${even ? ", and this output is what it was before: the order is lost in it."
      : ". Its weights are not all equal, so here the order matters."}`);
  }
  return parts.filter(Boolean).join(" ");
}
